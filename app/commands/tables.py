"""What the operator's commands list, as tables for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.auditing.plain import plain
from app.doctor import Fault, Gravity
from domain import audits, documents, jobs, keys, mails, notifications
from domain.ids import Kind, encode

if TYPE_CHECKING:
    from app.pushing import Outcome
    from app.resealing import Tally

WIDTH = 130
MOST_LOST = 20
"""So many rows that cannot be opened are named."""

_WHOLE = {
    "Job",
    "Snapshot",
    "Started (UTC)",
    "Judged (UTC)",
    "Live since (UTC)",
    "Time (UTC)",
    "Since (UTC)",
    "Mail",
    "Written (UTC)",
    "Key",
    "Client",
    "Given up (UTC)",
    "Issued (UTC)",
    "Made (UTC)",
    "Last used (UTC)",
    "Expires (UTC)",
    "Registered (UTC)",
}
"""What stands in these columns is to be copied, and never folded."""


def show_kinds(kinds: Sequence[jobs.KindRow], *, calls_are_sent: bool) -> None:
    """`calls_are_sent`: workers are called over a bus, which may be away."""
    if not kinds:
        console().print("There is no background work: nothing waits, runs or was given up.")
        return
    shown = table("Kind")
    for heading in ("Waiting", "Running", "Dead", *(["Unsent"] if calls_are_sent else []), "Oldest waits"):
        shown.add_column(heading, justify="right")
    for row in kinds:
        age = _age(datetime.now(UTC) - row.oldest_at) if row.oldest_at else "–"
        given_up = Text(f"{row.dead:,}", "bold red" if row.dead else "")
        unsent = [f"{row.unsent:,}"] if calls_are_sent else []
        shown.add_row(plain(row.kind), f"{row.waiting:,}", f"{row.running:,}", given_up, *unsent, age)
    console().print(shown)
    dead = {row.kind for row in kinds if row.dead}
    if dead - {mails.KIND}:
        console().print("What is dead: pacemark jobs dead", soft_wrap=True)
    if mails.KIND in dead:
        console().print("Mails that were given up: pacemark mails list --dead", soft_wrap=True)


def show_dead(rows: Sequence[jobs.JobRow]) -> None:
    if not rows:
        console().print("No job is dead.")
        return
    shown = table("Job", "Given up (UTC)", "Error")
    for row in rows:
        job = Text(encode(Kind.JOB, row.id)).append(f"\n{_subject(row) or row.subject.hex}\n{plain(row.kind)}", "dim")
        times = f"taken {row.deliveries} {'time' if row.deliveries == 1 else 'times'}"
        shown.add_row(job, Text(moment(row.dead_at)).append(f"\n{times}", "dim"), Text(plain(row.error or "")))
    console().print(shown)
    console().print("Try again: pacemark jobs replay ID    Forget: pacemark jobs drop ID    (or --all)", soft_wrap=True)


def dead_as_json(rows: Sequence[jobs.JobRow]) -> str:
    return json.dumps([_document(row) for row in rows], indent=2)


def _document(row: jobs.JobRow) -> dict[str, Any]:
    return {
        "id": encode(Kind.JOB, row.id),
        "kind": row.kind,
        "subject": _subject(row),
        "requestedAt": row.at.isoformat(),
        "deadAt": row.dead_at.isoformat() if row.dead_at else None,
        "deliveries": row.deliveries,
        "error": row.error,
    }


def _subject(row: jobs.JobRow) -> str | None:
    """The readable id of what the job is about."""
    if row.kind == notifications.KIND:
        return encode(Kind.DELIVERY, row.subject)
    return encode(Kind.AUDIT, row.subject) if row.kind in audits.KINDS.values() else None


def show_keys(rows: Sequence[keys.ApiKeyRow], clients: Mapping[UUID, str]) -> None:
    """`clients` are the names of those that keys are of; where none is, nothing is said of them."""
    if not rows:
        console().print("There is no API key in this workspace. Make one: pacemark keys create NAME")
        return
    shown = table("Key", "Name", "Role", "Issued (UTC)", "Expires (UTC)", "Last used (UTC)", *(["Client"] if clients else []))
    for row in rows:
        key = Text(plain(row.prefix)).append(f"\n{encode(Kind.KEY, row.id)}", "dim")
        client = [Text(plain(clients.get(row.client_id, "–") if row.client_id else "–", 100))] if clients else []
        moments = [moment(row.created_at), moment(row.expires_at), moment(row.last_used_at)]
        shown.add_row(key, Text(plain(row.name, 100)), row.role.capitalize(), *moments, *client)
    console().print(shown)


def show_clients(rows: Sequence[documents.ClientRow]) -> None:
    if not rows:
        console().print("There is no API client in this workspace. Make one: pacemark clients create NAME")
        return
    shown = table("Client", "Mode", "Made (UTC)")
    for row in rows:
        client = Text(plain(row.name, 100)).append(f"\n{encode(Kind.CLIENT, row.id)}", "dim")
        shown.add_row(client, str(row.mode), moment(row.created_at))
    console().print(shown)


def show_pushed(outcome: Outcome) -> None:
    """What changed nothing is only counted: of a client's new version that is nearly all."""
    shown = table("", "Document")
    for alias in outcome.added:
        shown.add_row("added", Text(plain(alias)))
    for alias, reason in outcome.refused:
        shown.add_row(Text("refused", "bold red"), Text(plain(alias)).append(f"\n{plain(reason, 1_000)}", "dim"))
    if shown.row_count:
        console().print(shown)
    counts = f"{len(outcome.added):,} added, {len(outcome.unchanged):,} unchanged, {len(outcome.refused):,} refused"
    several = f", in {outcome.batches} batches of which each was stored as a whole" if outcome.batches > 1 else ""
    console().print(f"{counts}{several}.", soft_wrap=True)


class Registered(NamedTuple):
    """A document, who registered it, and who asked for it."""

    document: documents.DocumentRow | documents.ClientDocumentRow
    clients: Sequence[str]
    usage: Sequence[documents.UsageRow]


def show_documents(rows: Sequence[Registered]) -> None:
    if not rows:
        console().print("No document is registered. Register some: pacemark documents push FILE --version VERSION")
        return
    shown = table("Document", "Registered by", "Last used (UTC)")
    for heading in ("Cost", "Calls"):
        shown.add_column(heading, justify="right")
    for document, clients, usage in rows:
        last = moment(max((each.last_at for each in usage), default=None))
        calls = sum(each.calls for each in usage)
        by = Text(", ".join(plain(name, 100) for name in clients))
        shown.add_row(_named(document), by, last, f"{document.cost:,.0f}", f"{calls:,}")
    console().print(shown)


def show_pruned(rows: Sequence[documents.DocumentRow], *, dry: bool) -> None:
    if not rows:
        console().print("No document is so long unused.")
        return
    shown = table("Document", "Registered (UTC)")
    for row in rows:
        shown.add_row(_named(row), moment(row.created_at))
    console().print(shown)
    number = f"{len(rows):,} {'document' if len(rows) == 1 else 'documents'}"
    console().print(f"{number} would be forgotten." if dry else f"{number} forgotten.", soft_wrap=True)


def _named(row: documents.DocumentRow | documents.ClientDocumentRow) -> Text:
    """By its operations, over the id that everybody can work out."""
    return Text(plain(f"{row.operation} {', '.join(row.names)}")).append(f"\nsha256:{row.hash}", "dim")


def table(*headings: str) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, no_wrap=heading in _WHOLE, overflow="fold")
    return made


def console() -> Console:
    """As wide as the terminal; where there is none, wide enough for the tables."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=WIDTH)


def moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else "–"


def _age(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:,} {unit}"
    return f"{seconds} s"


def show_faults(faults: Sequence[Fault]) -> None:
    if not faults:
        console().print("Nothing unsafe was found.")
        return
    shown = table("Gravity", "Setting", "What is wrong", "What would be right")
    for fault in faults:
        style = "bold red" if fault.gravity is Gravity.UNSAFE else "yellow"
        shown.add_row(Text(fault.gravity, style), fault.setting, plain(fault.message), plain(fault.remedy))
    console().print(shown)


def show_mails(rows: Sequence[mails.Pending]) -> None:
    if not rows:
        console().print("There is no mail that is not sent.")
        return
    shown = table("Mail", "Written (UTC)", "How it stands", "Said last")
    for each in rows:
        mail = Text(mails.named(each.row.id)).append(f"\n{each.row.template}\n{_to(each)}", "dim")
        shown.add_row(mail, moment(each.row.at), _standing(each.row), Text(plain(each.row.error or "")))
    console().print(shown)
    if any(each.row.dead_at for each in rows):
        console().print("Try again what was given up: pacemark mails retry ID    (or --all)", soft_wrap=True)


def mail_as_json(mail: mails.Pending) -> dict[str, Any]:
    row = mail.row
    return {
        "id": mails.named(row.id),
        "template": row.template,
        "to": mail.to,
        "writtenAt": row.at.isoformat(),
        "nextTryAt": row.ready_at.isoformat() if not (row.dead_at or row.claim_until) else None,
        "deadAt": row.dead_at.isoformat() if row.dead_at else None,
        "error": row.error,
    }


def _to(mail: mails.Pending) -> str:
    return plain(mail.to) if mail.to is not None else "no secret opens it any more"


def _standing(row: mails.PendingRow) -> Text:
    if row.dead_at is not None:
        return Text(f"given up {moment(row.dead_at)}", "bold red")
    return Text("is being sent" if row.claim_until is not None else f"next try {moment(row.ready_at)}")


def show_resealed(tallies: Sequence[Tally], *, former: bool) -> None:
    """`former`: some former secret is named in the settings."""
    shown = table("What")
    for heading in ("Sealed anew", "Already current", "Cannot be opened"):
        shown.add_column(heading, justify="right")
    for tally in tallies:
        lost = Text(f"{len(tally.lost):,}", "bold red" if tally.lost else "")
        shown.add_row(tally.kind, f"{tally.anew:,}", f"{tally.current:,}", lost)
    console().print(shown)
    for tally in tallies:
        if tally.lost:
            more = f" and {len(tally.lost) - MOST_LOST:,} more" if len(tally.lost) > MOST_LOST else ""
            named = ", ".join(map(plain, tally.lost[:MOST_LOST]))
            console().print(f"No secret opens, of {tally.kind}: {named}{more}", soft_wrap=True, markup=False)
    if any(tally.lost for tally in tallies):
        remedy = "Name the secret under which they were sealed in PACEMARK_FORMER_SECRETS and run this again, or set them anew."
        console().print(remedy, soft_wrap=True)
    elif former:
        console().print(STILL_FORMER, soft_wrap=True)


STILL_FORMER = """\
Nothing lies sealed under a former secret any more. Kept as digests, and not to be made anew, are:
  API keys that were issued before: until they end, are revoked, or are replaced (pacemark keys rotate KEY)
  refresh tokens: those that are used are replaced, all others end after 30 days
  invitations: 7 days; links in mails: a day at most
Links to files and reports from before ended with the change; there are new ones wherever they are read.
When none of these is left that anybody needs, PACEMARK_FORMER_SECRETS may be empty."""
