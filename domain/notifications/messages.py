"""What is told, in the words of each kind of channel. Nothing here reads or writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .rules import Moment

TYPES = {
    Moment.OPENED: "alert.opened",
    Moment.WORSENED: "alert.worsened",
    Moment.RESOLVED: "alert.resolved",
    Moment.REMINDER: "alert.reminder",
    Moment.TEST: "channel.test",
}
_SAID = {
    Moment.OPENED: "Alert",
    Moment.WORSENED: "Worse now",
    Moment.RESOLVED: "Resolved",
    Moment.REMINDER: "Still so",
    Moment.TEST: "Test",
}
_SIGNS = {
    Moment.OPENED: ":rotating_light:",
    Moment.WORSENED: ":chart_with_downwards_trend:",
    Moment.RESOLVED: ":white_check_mark:",
    Moment.REMINDER: ":alarm_clock:",
}
TEST_TITLE = "This channel works: it is how you would be told of an alert."


def message(moment: Moment, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept, and what webhooks are sent: plain values alone."""
    return {"type": TYPES[moment], "timestamp": at.isoformat(), "data": dict(data)}


def webhook(message: Mapping[str, Any], link: str) -> bytes:
    return json.dumps(_linked(message, link), ensure_ascii=False, separators=(",", ":")).encode()


def slack(message: Mapping[str, Any], moment: Moment, link: str) -> bytes:
    """A text for notifications, and the same with its link and what is known of it for the conversation."""
    data = message["data"]
    head = f"{_SAID[moment]}: {_title(message)}"
    sign = f"{_SIGNS[moment]} " if moment in _SIGNS else ""
    where = [each["name"] for each in (data.get("workspace"), data.get("site"), data.get("page")) if each]
    parts = [" › ".join(where), _details(message)]
    blocks: list[Any] = [_section(f"{sign}*{_escaped(head)}*\n<{link}|Open Pacemark>")]
    if said := "\n".join(_escaped(each) for each in parts if each):
        blocks.append({"type": "context", "elements": [_text(said)]})
    return json.dumps({"text": _escaped(head), "blocks": blocks, "unfurl_links": False}, ensure_ascii=False).encode()


def mail(message: Mapping[str, Any], moment: Moment, link: str) -> dict[str, str]:
    """The values of the template ALERT."""
    data = message["data"]
    alert = data.get("alert")
    return {
        "said": _SAID[moment],
        "title": _title(message),
        "details": _details(message),
        "workspace": data["workspace"]["name"],
        "site": data["site"]["name"] if data.get("site") else "",
        "page": data["page"]["path"] if data.get("page") else "",
        "since": f"{datetime.fromisoformat(alert['openedAt']):%Y-%m-%d %H:%M} UTC" if alert else "",
        "link": link,
    }


def _linked(message: Mapping[str, Any], link: str) -> dict[str, Any]:
    alert = message["data"].get("alert")
    if alert is None:
        return dict(message)
    return {**message, "data": {**message["data"], "alert": {**alert, "url": link}}}


def _title(message: Mapping[str, Any]) -> str:
    alert = message["data"].get("alert")
    return str(alert["title"]) if alert else TEST_TITLE


def _details(message: Mapping[str, Any]) -> str:
    details = (message["data"].get("alert") or {}).get("details") or {}
    return "; ".join(f"{name}: {value}" for name, value in sorted(details.items()) if value is not None)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, Any]:
    """`verbatim`: nothing in it becomes a link or calls anybody, but what we write as one."""
    return {"type": "mrkdwn", "text": text[:3_000], "verbatim": True}


_CALLING = re.compile(r"@|://|\](?=\()")


def _escaped(text: str) -> str:
    """Without a meaning: what Slack makes links and calls of, and what others do who understand the same and Markdown."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _CALLING.sub(lambda found: f"{found[0]}\u2060", plain)
