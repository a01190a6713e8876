"""Decisions about when a schedule fires; nothing here reads, writes or looks at a clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from itertools import count
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from ..errors import Fault, ProblemCode

MAX_SCHEDULES = 2_000
MAX_EVERY_MINUTES = 10_080
MAX_JITTER = 3_600
MAX_CRON = 200

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_FIELDS = {
    "minute": "a minute is 0 to 59",
    "hour": "an hour is 0 to 23",
    "day-of-month": "a day of the month is 1 to 31, or L for the last",
    "month": "a month is 1 to 12 or JAN to DEC",
    "day-of-week": "a day of the week is 0 to 7 or SUN to SAT",
}
_EXAMPLE = '"0 6 * * MON-FRI" is 6:00 on working days'
_NEVER = f"There is no day on which this cron expression fires; {_EXAMPLE}."


MISSED = 3
SHORTEST_SILENCE = timedelta(hours=1)


class Reason(StrEnum):
    """Why a schedule that was due asked for no audit, or for less than it should."""

    NO_PAGES = "NO_PAGES"
    STILL_WAITING = "STILL_WAITING"
    QUEUE_FULL = "QUEUE_FULL"
    PAUSED = "PAUSED"
    FAILED = "FAILED"


class Settings(NamedTuple):
    """What may be changed of a schedule. No profile means each of the site's, no runs what the profile says."""

    name: str
    profile_id: UUID | None
    environment: str
    runs: int | None
    cron: str | None
    every_minutes: int | None
    time_zone: str
    jitter_seconds: int


class Timed(Protocol):
    """What decides when a schedule fires."""

    @property
    def id(self) -> UUID: ...
    @property
    def cron(self) -> str | None: ...
    @property
    def every_minutes(self) -> int | None: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def jitter_seconds(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...


def check_timing(settings: Settings, moment: datetime, faults: list[Fault]) -> Settings:
    """The settings with the cron expression's spaces put in order. It has to fire at some time after `moment`."""
    cron, every = settings.cron, settings.every_minutes
    if cron is None and every is None:
        faults.append(Fault(("cron",), f"Say when: cron ({_EXAMPLE}) or everyMinutes.", ProblemCode.REQUIRED))
    if cron is not None and every is not None:
        faults.append(Fault(("everyMinutes",), "Say either cron or everyMinutes, not both.", ProblemCode.INVALID))
    if cron is not None:
        settings = settings._replace(cron=_check_cron(cron, moment, faults))
    for path, value, least, most in (
        ("everyMinutes", every, 1, MAX_EVERY_MINUTES),
        ("jitterSeconds", settings.jitter_seconds, 0, MAX_JITTER),
    ):
        if value is not None and not least <= value <= most:
            faults.append(Fault((path,), f"{path} is from {least} to {most:,}.", ProblemCode.OUT_OF_RANGE))
    if settings.time_zone not in _zones():
        message = "This is not the name of a time zone, such as UTC or Europe/Berlin."
        faults.append(Fault(("timeZone",), message, ProblemCode.MALFORMED))
    return settings


def _check_cron(text: str, moment: datetime, faults: list[Fault]) -> str:
    def refuse(message: str, code: ProblemCode = ProblemCode.MALFORMED) -> str:
        faults.append(Fault(("cron",), message, code))
        return text

    if len(text) > MAX_CRON:
        return refuse(f"A cron expression has at most {MAX_CRON} characters.", ProblemCode.TOO_LONG)
    text = " ".join(text.split())
    if text.lower() in ALIASES:
        return text.lower()
    if text.startswith("@"):
        return refuse(f"The words that stand for a cron expression are {', '.join(ALIASES)}.")
    fields = text.split(" ")
    if len(fields) != len(_FIELDS):
        message = f"A cron expression has five fields, minute, hour, day of the month, month and day of the week: {_EXAMPLE}."
        return refuse(message)
    wrong = _unreadable(fields)
    if wrong:
        return refuse(f"The {wrong} of this cron expression cannot be read: {_FIELDS[wrong]}; {_EXAMPLE}.")
    if next(_by_cron(text, "UTC", moment), None) is None:
        return refuse(_NEVER, ProblemCode.INVALID)
    return text


def _unreadable(fields: Sequence[str]) -> str | None:
    """The name of the first field that is none. Each is read alone: together, 30 February is a fault of the day too."""
    for place, name in enumerate(_FIELDS):
        try:
            CronSim(" ".join(text if place == other else "*" for other, text in enumerate(fields)), _ANY)
        except CronSimError:
            return name
    return None


_ANY = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def _zones() -> frozenset[str]:
    """The names of the IANA database; what else a machine's own folder holds (localtime, right/…) is none."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - {"Factory"}


def next_after(schedule: Timed, moment: datetime) -> datetime | None:
    """When it fires next, later than `moment`; None when it never does. The same answer in every process.

    A cron expression is read as Debian's cron does where the clocks change. At a given time (30 2): what the clocks leap
    over fires when they have leapt, what they repeat fires once. With a wildcard (*/30): as the clocks show it, so what
    they leap over does not fire, and what they repeat fires twice. Minutes are counted from the schedule's making on.
    """
    best: datetime | None = None
    for due in _occurrences(schedule, moment - timedelta(seconds=schedule.jitter_seconds)):
        fires = due + _jitter(schedule, due)
        if fires > moment and (best is None or fires < best):
            best = fires
        if best is not None and best <= due:
            break
    return best


def upcoming(schedule: Timed, number: int, moment: datetime) -> list[datetime]:
    """The next so many times that it fires after `moment`."""
    found: list[datetime] = []
    following = next_after(schedule, moment)
    while following is not None and len(found) < number:
        found.append(following)
        following = next_after(schedule, following)
    return found


def silent_from(schedule: Timed, last: datetime) -> datetime | None:
    """From when on it brings nothing any more, where it brought something last at `last`; None: it never fires anyway.

    Then it has fired three times since, and is to fire again: each firing had until the next one to bring something. An
    hour at least has to pass, in which whatever waits in a queue may come.
    """
    following: datetime | None = last
    for _ in range(MISSED + 1):
        following = next_after(schedule, following) if following is not None else None
    return max(following, last + SHORTEST_SILENCE) if following is not None else None


def rest(failures: int) -> timedelta:
    """How long one that failed so often in a row is left alone: 2 minutes, 4, 8, … an hour."""
    return timedelta(minutes=min(2 ** min(failures, 6), 60))


def _jitter(schedule: Timed, due: datetime) -> timedelta:
    """Nobody's dice: every process finds the same delay for the same schedule and moment."""
    if not schedule.jitter_seconds:
        return timedelta()
    digest = blake2b(schedule.id.bytes + int(due.timestamp()).to_bytes(8), digest_size=8).digest()
    return timedelta(seconds=int.from_bytes(digest) % (schedule.jitter_seconds + 1))


def _occurrences(schedule: Timed, after: datetime) -> Iterator[datetime]:
    """The moments that the timing names, without jitter."""
    if schedule.every_minutes is not None:
        yield from _by_minutes(schedule.created_at, timedelta(minutes=schedule.every_minutes), after)
    elif schedule.cron is not None:
        yield from _by_cron(schedule.cron, schedule.time_zone, after)


def _by_minutes(created_at: datetime, step: timedelta, after: datetime) -> Iterator[datetime]:
    anchor = created_at.replace(second=0, microsecond=0)
    for number in count(max(1, (after - anchor) // step + 1)):
        yield anchor + number * step


def _by_cron(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    try:
        times = CronSim(ALIASES.get(cron, cron), after.astimezone(ZoneInfo(zone)))
    except (CronSimError, ZoneInfoNotFoundError):  # 30 February, or what was read before an update of cronsim or tzdata
        return
    for local in times:
        moment = local.astimezone(UTC)
        if moment > after:  # in an hour that the clocks repeat, the first of the two comes again
            after = moment
            yield moment
