"""Scalars beyond GraphQL's own: each with a page that specifies it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NewType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from domain.forms import moment

Url = NewType("Url", str)
Cursor = NewType("Cursor", str)
TimeZone = NewType("TimeZone", str)


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise GraphQLError("A DateTime is written as RFC 3339 says, such as 2026-11-22T08:00:00Z.") from None
    raise GraphQLError("A DateTime needs a zone: end it in Z, or in an offset such as +01:00.")


def written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def written_at_once(moment: str) -> str:
    """The same as an expression, for one in UTC after the year 1000: datetime's own way takes three times as long."""
    parts = "-{two[{0}.month]}-{two[{0}.day]}T{two[{0}.hour]}:{two[{0}.minute]}:{two[{0}.second]}"
    return 'f"{' + f"{moment}.year" + "}" + parts.replace("{0}", moment) + ".{three[" + moment + '.microsecond // 1000]}Z"'


PARTS: Mapping[str, Any] = {
    "two": [f"{number:02}" for number in range(60)],
    "three": [f"{number:03}" for number in range(1_000)],
    "whole_second": lambda text: f"{text[:10]}T{text[11:19]}.000Z" if len(text) == 22 else written(moment(text)),
}
"""What the expressions below name."""


def written_from_text(text: str) -> str:
    """A moment as an expression of PostgreSQL's text, `domain.forms.Form.MOMENT`."""
    begin = f'f"{{{text}[:10]}}T'
    most = f'{begin}{{{text}[11:23]}}Z" if len({text}) == 29'
    shorter = f"""{begin}{{({text}[11:-3] + '000')[:12]}}Z" if 29 > len({text}) > 22"""
    return f"{most} else {shorter} else whole_second({text})"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GraphQLError("This is written as a string.")
    return value


def _zone(value: Any) -> str:
    try:
        return ZoneInfo(_text(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise GraphQLError("This is not the name of a time zone, such as UTC or Europe/Berlin.") from None


SCALARS: Mapping[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment as RFC 3339 writes it, in UTC, with milliseconds.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
        serialize=written,
        parse_value=_moment,
    ),
    Url: strawberry.scalar(
        name="URL",
        description="An absolute address.",
        specified_by_url="https://url.spec.whatwg.org/",
        serialize=str,
        parse_value=_text,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="A place in a list. Opaque: it is good for the list that gave it, and for no other.",
        specified_by_url="https://relay.dev/graphql/connections.htm#sec-Cursor",
        serialize=str,
        parse_value=_text,
    ),
    TimeZone: strawberry.scalar(
        name="TimeZone",
        description="The name of a time zone in the IANA database, such as Europe/Berlin.",
        specified_by_url="https://www.iana.org/time-zones",
        serialize=str,
        parse_value=_zone,
    ),
}
