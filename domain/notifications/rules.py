"""Decisions about who is told of what, and how often it is tried; nothing here reads or writes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from hashlib import blake2b
from typing import NamedTuple, Protocol
from uuid import UUID

MAX_CHANNELS = 50
MAX_ROUTES = 200
MAX_ADDRESSES = 10

KEPT = timedelta(days=30)
"""For so long what was sent, and what was not, can be looked at."""

OVERLAP = timedelta(hours=24)
"""For so long a secret that was replaced still signs."""

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between one try and the next, as Standard Webhooks has them; after the last one it is given up."""

LONGEST_ASKED = timedelta(hours=24)
"""A server that says "later" is believed up to so much."""

DEAD_AFTER = timedelta(days=5)
DEAD_TRIES = 10
"""A channel that took nothing for so long, in so many tries, is paused."""

MAX_SAID = 500
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


class AlertKind(StrEnum):
    """What an alert is about."""

    BREACH = "BREACH"
    VERDICT = "VERDICT"
    FAILURE = "FAILURE"
    SILENCE = "SILENCE"


class AlertSeverity(StrEnum):
    """How grave an alert is, the graver one last."""

    WARNING = "WARNING"
    ERROR = "ERROR"


class ChannelKind(StrEnum):
    """By what a channel reaches people or programs."""

    WEBHOOK = "WEBHOOK"
    SLACK = "SLACK"
    EMAIL = "EMAIL"


class PauseReason(StrEnum):
    """Why nothing is sent to a channel."""

    BY_PERSON = "BY_PERSON"
    GONE = "GONE"
    FAILING = "FAILING"


class Moment(StrEnum):
    """What of an alert is told."""

    OPENED = "OPENED"
    WORSENED = "WORSENED"
    RESOLVED = "RESOLVED"
    REMINDER = "REMINDER"
    TEST = "TEST"


class DeliveryState(StrEnum):
    """How a delivery stands. The last two are final, until somebody wants it tried again."""

    WAITING = "WAITING"
    SENT = "SENT"
    FAILED = "FAILED"


class About(NamedTuple):
    """What routes look at. `tags` are the site's."""

    kind: AlertKind
    severity: AlertSeverity
    site_id: UUID
    tags: Collection[str]
    environment: str | None


class Routed(Protocol):
    """The conditions of a route; what is not named does not matter."""

    @property
    def channel_id(self) -> UUID: ...
    @property
    def kinds(self) -> Sequence[str] | None: ...
    @property
    def severity(self) -> AlertSeverity: ...
    @property
    def site_id(self) -> UUID | None: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def environment(self) -> str | None: ...


class Reached(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def everything(self) -> bool: ...


def graver(one: AlertSeverity, other: AlertSeverity) -> bool:
    """Whether the one is graver than the other."""
    place = list(AlertSeverity).index
    return place(one) > place(other)


def matches(route: Routed, about: About) -> bool:
    """Whether all that the route names is so."""
    return (
        (route.kinds is None or about.kind in route.kinds)
        and not graver(route.severity, about.severity)
        and route.site_id in (None, about.site_id)
        and set(route.tags) <= set(about.tags)
        and route.environment in (None, about.environment)
    )


def told(channels: Iterable[Reached], routes: Iterable[Routed], about: About) -> list[UUID]:
    """The channels that are told: those that get everything, and those of which a route matches; each once."""
    routed = {route.channel_id for route in routes if matches(route, about)}
    return [channel.id for channel in channels if channel.everything or channel.id in routed]


def pause(tries: int, id: UUID, asked: timedelta | None = None) -> timedelta | None:
    """How long a delivery rests after so many tries; None: it is given up. `asked`: what the server wants.

    Up to a tenth is added, another part for each delivery, so that not all come at once to a server that is back.
    """
    if tries > len(PAUSES):
        return None
    part = int.from_bytes(blake2b(id.bytes + tries.to_bytes(2), digest_size=2).digest()) / 0xFFFF
    rest = PAUSES[tries - 1] * (1 + part / 10)
    return max(rest, min(asked, LONGEST_ASKED)) if asked is not None else rest


def retry_after(text: str | None, now: datetime) -> timedelta | None:
    """What a server's Retry-After asks for: seconds, or a date (RFC 9110 §10.2.3). None for what is neither."""
    if text is None:
        return None
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(timedelta(), moment.replace(tzinfo=moment.tzinfo or UTC) - now)


def is_dead(failing_since: datetime | None, failures: int, now: datetime) -> bool:
    """Whether a channel has taken nothing for so long that nobody seems to be there any more."""
    return failing_since is not None and failures >= DEAD_TRIES and now - failing_since >= DEAD_AFTER


def shown(text: str) -> str:
    """What somebody's server said, as far as it is kept: its beginning, with nothing in it but what can be printed."""
    return _UNSHOWN.sub(" ", text).strip()[:MAX_SAID]
