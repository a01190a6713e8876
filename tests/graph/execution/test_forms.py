"""Rows that are unpacked as their driver gave them are answered as those whose attributes are read."""

from __future__ import annotations

import enum
import gc
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from weakref import ref

import pytest
import strawberry
from graphql import GraphQLSchema, parse
from graphql.execution import Executor
from strawberry.schema.config import StrawberryConfig

from domain.forms import Form, moment
from graph.execution.plans import NO_VARIABLES, Plans, Run
from graph.execution.plans.completing import MOST_TYPES
from graph.scalars import SCALARS

MOMENT = datetime(2026, 11, 22, 8, 9, 1, 78_999, UTC)
QUERY = "{ rows { at ended state name number label whole again { number } shout } }"


def texted(moment: datetime) -> str:
    """As PostgreSQL writes it."""
    whole, _, decimals = moment.replace(tzinfo=None).isoformat(" ", "microseconds").partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}+00" if decimals else f"{whole}+00"


class State(enum.Enum):
    OPEN = "open"
    SHUT = "shut"


class Whole(NamedTuple):
    at: Any = MOMENT
    ended: Any = None
    state: Any = State.SHUT
    name: Any = "one"
    number: Any = 1.5
    label: Any = None
    whole: Any = 3


class Driven(tuple[Any, ...]):
    """The same as a driver gives it."""

    _fields = Whole._fields
    forms: Mapping[str, Form] = {
        "at": Form.MOMENT,
        "ended": Form.MOMENT,
        "state": Form.NAME,
        "name": Form.TEXT,
        "number": Form.NUMBER,
        "label": Form.TEXT,
        "whole": Form.SAME,
    }

    @classmethod
    def of(cls, row: Whole) -> Driven:
        def driven(value: Any) -> Any:
            if isinstance(value, datetime):
                return texted(value)
            return value.name if isinstance(value, State) else value

        return cls(map(driven, row))

    def __getattr__(self, name: str) -> Any:
        value = self[self._fields.index(name)]
        if value is None:
            return None
        if self.forms[name] is Form.MOMENT:
            return moment(value)
        return State[value] if self.forms[name] is Form.NAME else value


StateType = strawberry.enum(State, name="State")


@strawberry.type
class Again:
    number: float | None


@strawberry.type
class Row:
    at: datetime
    ended: datetime | None
    state: StateType | None
    name: str
    number: float | None
    label: str | None
    whole: int

    @strawberry.field
    @staticmethod
    def again(row: strawberry.Parent[Any]) -> Again:
        return row  # type: ignore[no-any-return]

    @strawberry.field
    @staticmethod
    def shout(row: strawberry.Parent[Any]) -> str:
        return f"{row.name}!"


def schema_of(rows: list[Any]) -> GraphQLSchema:
    @strawberry.type
    class Query:
        @strawberry.field
        @staticmethod
        def rows(_root: strawberry.Parent[Any]) -> list[Row]:
            return rows  # type: ignore[return-value]  # read by the type's fields

    return strawberry.Schema(Query, config=StrawberryConfig(scalar_map=dict(SCALARS)))._schema


def never() -> Executor[Any]:
    pytest.fail("graphql-core was asked")


async def answered(rows: list[Any]) -> tuple[Any, list[str]]:
    plan = Plans(schema_of(rows), parse(QUERY)).get(NO_VARIABLES)
    assert plan is not None
    run = Run(never, None, NO_VARIABLES)
    said = plan.execute(run)
    return said if isinstance(said, dict) or said is None else await said, [str(error) for error in run.errors]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"ended": MOMENT + timedelta(days=400), "label": "two"},
        {"at": MOMENT.replace(microsecond=0)},
        {"at": MOMENT.replace(microsecond=100_000), "ended": MOMENT.replace(microsecond=999_990)},
        {"at": datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC)},
        {"at": datetime(1, 1, 1, tzinfo=UTC), "ended": datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)},
        {"state": None, "number": None},
        {"number": float("nan")},
        {"number": float("-inf")},
        {"whole": 2**31},
        {"at": None},
        {"name": None},
    ],
    ids=lambda changed: " ".join(f"{name} {value}" for name, value in changed.items()) or "nothing",
)
async def test_they_are_answered_alike(changed: Mapping[str, Any]) -> None:
    rows = [Whole(), Whole(**changed), Whole(name="three")]
    expected = await answered(rows)
    assert await answered([Driven.of(row) for row in rows]) == expected
    assert await answered([Driven.of(rows[0]), *rows[1:]]) == expected, "of several types they are read by attributes"
    assert expected[0] is None or len(expected[0]["rows"]) == 3


def test_types_of_rows_that_are_made_again_and_again_are_not_all_kept() -> None:
    rows: list[Any] = []
    plan = Plans(schema_of(rows), parse(QUERY)).get(NO_VARIABLES)
    assert plan is not None
    made: list[ref[type]] = []
    for _ in range(5 * MOST_TYPES):
        row = type("Driven", (Driven,), {"whole": Driven})
        made.append(ref(row))
        rows[:] = [row.of(Whole())]
        run = Run(never, None, NO_VARIABLES)
        assert plan.execute(run)["rows"][0]["shout"] == "one!"
    gc.collect()
    assert sum(each() is not None for each in made) <= MOST_TYPES
