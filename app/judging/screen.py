"""Snapshots shown: for people as tables, for programs as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.text import Text

from app.auditing.plain import plain
from app.commands.tables import console, moment, table
from app.judging import snapshots, verdicts
from app.judging.marks import SHORT
from domain.measuring import MetricName

_METRICS = {
    MetricName.LCP: "lcpMs",
    MetricName.FCP: "fcpMs",
    MetricName.TBT: "tbtMs",
    MetricName.CLS: "cls",
    MetricName.TTFB: "ttfbMs",
    MetricName.PAGE_LOAD: "pageLoadMs",
}
_STATES = {"FAILED": "bold red", "CANCELLED": "yellow", "QUEUED": "dim", "RUNNING": "cyan"}


def show_list(rows: Sequence[Mapping[str, Any]]) -> None:
    shown = table("Snapshot", "Started (UTC)", "Site", "Why", "Commit", "How it stands", "What was said")
    for row in rows:
        site = Text(plain(row["site"]["name"], 60)).append(f"\n{plain(row['environment'], 60)}", "dim")
        started = moment(datetime.fromisoformat(row["requestedAt"]))
        shown.add_row(row["id"], started, site, _why(row), _commit(row["commit"]), _stands(row), _counts(row))
    console().print(shown)


def _why(row: Mapping[str, Any]) -> Text:
    text = Text(plain(row["cause"].lower(), 60))
    return text.append(f"\n{plain(row['name'], 60)}", "dim") if row["name"] else text


def _commit(commit: Mapping[str, Any] | None) -> Text:
    if commit is None:
        return Text("–", "dim")
    branch = f"\n{plain(commit['branch'], 60)}" if commit["branch"] else ""
    return Text(plain(commit["hash"], SHORT + 1)[:SHORT]).append(branch, "dim")


def _stands(row: Mapping[str, Any]) -> Text:
    progress = row["progress"]
    ended = f"{progress['finished']:,} of {progress['total']:,} measured"
    text = Text(row["state"].lower(), "cyan" if row["state"] == "RUNNING" else "").append(f"\n{ended}", "dim")
    return text.append(f", {progress['failed']:,} failed", "red") if progress["failed"] else text


def _counts(row: Mapping[str, Any]) -> Text:
    text = Text()
    for name, style in (("regressed", "bold red"), ("improved", "green")):
        if number := row["judgements"][name]:
            text.append(f"{number:,} {name}\n", style)
    if row["judgedAt"] is None:
        text.append("not judged yet" if row["state"] != "CANCELLED" else "–", "dim")
    elif not text:
        text.append("nothing changed", "dim")
    text.rstrip()
    return text


def show(found: snapshots.Whole, *, all: bool) -> None:
    """What of it changed, or with `all` everything that was said."""
    out = console()
    out.print(_heading(found.about))
    if found.pages:
        out.print(_audits(found.pages))
    show_said(found, all=all)


def _heading(about: Mapping[str, Any]) -> Text:
    text = Text(plain(about["site"]["name"], 100), "bold").append(f"  {about['id']}", "not bold dim")
    text.append(f"\n{about['cause'].lower()} · {plain(about['environment'], 60)} · {about['state'].lower()}", "not bold")
    if (commit := about["commit"]) is not None:
        texts = (commit["hash"][:SHORT], commit["branch"], commit["author"], commit["message"])
        text.append(f"\n{' · '.join(plain(each, 100) for each in texts if each)}", "not bold dim")
    return text


def _audits(pages: Iterable[Mapping[str, Any]]) -> Any:
    shown = table("Page", "Profile", "State")
    named = [name for name in _METRICS if any(audit["metrics"][_METRICS[name]] is not None for audit in _each(pages))]
    for name in named:
        shown.add_column(name.name, justify="right", no_wrap=True)
    for page in pages:
        path = plain(page["page"]["path"], 100) if page["page"] else "–"
        for number, audit in enumerate(page["audits"]):
            state = Text(audit["state"].lower(), _STATES.get(audit["state"], ""))
            if audit["failure"]:
                state.append(f"\n{plain(audit['failure']['message'])}", "not bold dim")
            cells = [verdicts.value(name, audit["metrics"][_METRICS[name]]) for name in named]
            profile = plain(audit["profile"]["name"], 60) if audit["profile"] else "–"
            shown.add_row(Text("" if number else path), Text(profile), state, *cells)
    return shown


def _each(pages: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    return (audit for page in pages for audit in page["audits"])


def show_said(found: snapshots.Whole, *, all: bool) -> None:
    rows = [row for row in found.verdicts if all or row["judgement"] in verdicts.CHANGED or row["reason"] == "SUSPECTED"]
    if rows:
        verdicts.show(rows, dated=False)
    for line in _sentences(found):
        console().print(line, soft_wrap=True, markup=False)


def _sentences(found: snapshots.Whole) -> Iterable[str]:
    if found.about["judgedAt"] is None:
        yield "It is not judged yet." if found.about["state"] != "CANCELLED" else "It was cancelled, and is not judged."
        return
    said = found.judgements
    total = sum(said.values())
    if not total:
        finished = found.about["progress"]["finished"]
        yield "It was not judged." if finished else "Nothing of it was measured, so that there is nothing to judge."
        return
    counts = (("regressed", "regressed"), ("improved", "improved"), ("noEvidence", "without evidence of a change"))
    parts = [f"{said[name]:,} {words}" for name, words in counts]
    yield f"{total:,} compared: {', '.join(parts)}."
    new = sum(row["reason"] == "TOO_FEW" for row in found.verdicts)
    if new == total:
        yield "There are too few snapshots before it to tell anything: what regressed will show from a later one on."
    if said["incomparable"]:
        yield f"{said['incomparable']:,} could not be compared: they were measured otherwise than before."
    if found.left_out:
        yield f"Of {found.left_out:,} of them the rows are left out here."


def document(found: snapshots.Whole) -> dict[str, Any]:
    return {
        **_about(found.about),
        "judgements": dict(found.judgements),
        "pages": list(found.pages),
        "verdicts": [verdicts.document(row) for row in found.verdicts],
        "leftOut": found.left_out,
    }


def list_document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**_about(row), "judgements": row["judgements"]}


def _about(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("id", "cause", "state", "name", "environment", "buildUrl", "requestedAt", "finishedAt", "judgedAt")
    return {
        **{name: row[name] for name in kept},
        "site": row["site"]["slug"],
        "commit": row["commit"],
        "progress": row["progress"],
    }
