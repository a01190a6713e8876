"""Two snapshots of a site compared, asked for and shown: what differs, and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from app.asking import There
from app.auditing.plain import plain
from app.commands.tables import console
from app.errors import Unusable
from app.judging import verdicts
from domain import metrics
from domain.measuring import MetricName

SHOWN = 5
"""Of what changed so many of a kind are named, the weightiest."""

COMPARE = f"""query CompareSnapshots($after: ID!, $before: ID!, $pooled: Boolean!) {{
  snapshot(id: $after) {{
    comparison(before: $before, pooled: $pooled) {{
      judgements {{ regressed improved noEvidence incomparable }}
      pages {{
        page {{ path url }}
        profiles {{
          profile {{ name }}
          metrics {{
            metric {{ name }} judgement reason before after change relativeChange changeLow changeHigh detectable spreadRatio
            snapshotsBefore snapshotsAfter
          }}
          differences {{
            findings {{ nodes(first: {SHOWN}) {{ kind title severity }} }}
            requests {{ nodes(first: {SHOWN}) {{ kind url changeBytes }} }}
          }}
        }}
      }}
    }}
  }}
}}"""

_MARKS = {"ADDED": ("+", "red"), "REMOVED": ("-", "green"), "GROWN": ("▲", "red"), "SHRUNK": ("▼", "green")}


async def compare(there: There, before: str, after: str, *, pooled: bool) -> Mapping[str, Any]:
    """Raises Unusable."""
    found = (await there.ask(COMPARE, before=before, after=after, pooled=pooled))["snapshot"]
    comparison: Mapping[str, Any] | None = found["comparison"] if found is not None else None
    if comparison is None:
        listing = f"pacemark snapshots list --site SITE{there.options}"
        raise Unusable(f"There are no such two snapshots of one site, or they are not yours: {listing}")
    return comparison


def rows(found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Each metric with the page and the profile that it is of."""
    return [
        {"page": page["page"], "profile": each["profile"], **metric}
        for page in found["pages"]
        for each in page["profiles"]
        for metric in each["metrics"]
    ]


def show(found: Mapping[str, Any], *, all: bool) -> None:
    shown = [row for row in rows(found) if all or row["judgement"] in verdicts.CHANGED]
    if shown:
        verdicts.show(shown, dated=False)
    for line in _differences(found):
        console().print(line, soft_wrap=True)
    said = found["judgements"]
    parts = [f"{said['regressed']:,} regressed", f"{said['improved']:,} improved"]
    parts += [f"{said['noEvidence']:,} without evidence of a change", f"{said['incomparable']:,} incomparable"]
    console().print(f"{sum(said.values()):,} compared: {', '.join(parts)}.", soft_wrap=True)


def _differences(found: Mapping[str, Any]) -> Iterator[Text]:
    """Of each page under each profile the weightiest findings and requests that differ."""
    for page in found["pages"]:
        for each in page["profiles"]:
            differences = each["differences"]
            findings = differences["findings"]["nodes"] if differences else []
            requests = differences["requests"]["nodes"] if differences else []
            if not (findings or requests):
                continue
            profile = plain(each["profile"]["name"], 60) if each["profile"] else "–"
            yield Text(plain(page["page"]["path"], 100) if page["page"] else "–", "bold").append(f"  {profile}", "not bold dim")
            for finding in findings:
                yield _line(finding["kind"], plain(finding["title"]))
            for request in requests:
                size = metrics.format_value(MetricName.TRANSFER_BYTES, abs(request["changeBytes"]))
                sign = "-" if request["changeBytes"] < 0 else "+"
                yield _line(request["kind"], f"{plain(request['url'])}  {sign}{size}")


def _line(kind: str, words: str) -> Text:
    mark, style = _MARKS.get(kind, ("~", "dim"))
    return Text(f"  {mark} ", style).append(words, "not bold default")
