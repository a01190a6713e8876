"""The geometry of a verdict's chart: snapshot beside snapshot, each with its runs, as the coordinates of an SVG.

Snapshots stand in the order of time, each in a slot as wide as the others: those that confirm a change are taken minutes after
it, and would be one point on an axis that is true to time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.report.chart import BOTTOM, LEFT, RIGHT, TOP, Tick, moment
from domain import verdicts

WIDTH, HEIGHT = 420, 198
ROOM = 18
"""Above what is drawn, for the names of the sides."""

_STEPS = (1, 2, 2.5, 5, 10)
_LEAST_SPAN = 0.2
"""So much of the greatest value the axis shows at least: noise is not to look like a mountain."""


class Side(StrEnum):
    """BEFORE and SINCE were compared; OTHER was not."""

    BEFORE = "before"
    SINCE = "since"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Slot:
    """A snapshot: when it was measured, the values of its runs, and on which side it stands."""

    at: datetime
    runs: tuple[float, ...]
    side: Side


@dataclass(frozen=True, slots=True)
class Interval:
    """What the middle was before, and where with 95 % probability it lies since."""

    before: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """`label` names it, where it has room for that."""

    x: float
    y: float
    width: float
    height: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One snapshot: its runs as dots, and what stands for them as a bar."""

    side: Side
    label: str
    runs: tuple[Dot, ...]
    bar: Box


@dataclass(frozen=True, slots=True)
class Flag:
    """The mark with this number, between two snapshots."""

    x: float
    number: int


@dataclass(frozen=True, slots=True)
class Chart:
    sides: tuple[tuple[Side, Box], ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    level: Box | None
    interval: Box | None
    drawn: tuple[Drawn, ...]
    flags: tuple[Flag, ...]


def draw(
    slots: Sequence[Slot],
    show: Callable[[float], str],
    *,
    least: float = 1e-6,
    interval: Interval | None = None,
    marks: Sequence[tuple[int, datetime]] = (),
) -> Chart:
    """`slots` have values and are in the order of time; the axis shows at least `least`; `marks` are numbers with times."""
    values = [value for slot in slots for value in slot.runs]
    if interval is not None:
        if min(values) >= 0:  # what is never below nothing is not drawn there
            interval = replace(interval, low=max(interval.low, 0.0), high=max(interval.high, 0.0))
        values += [interval.before, interval.low, interval.high]
    bottom, top, step = _axis(min(values), max(values), least)
    width = (RIGHT - LEFT) / len(slots)

    def x(place: float) -> float:
        return round(LEFT + (place + 0.5) * width, 1)

    def y(value: float) -> float:
        return round(BOTTOM - (value - bottom) / (top - bottom) * (BOTTOM - TOP - ROOM), 1)

    sides = tuple(_sides(slots, width))
    since = next((box for side, box in sides if side is Side.SINCE), None)
    before = next((box for side, box in sides if side is Side.BEFORE), None)
    level = band = None
    if interval is not None and since is not None:
        begin = before.x if before is not None else since.x
        level = Box(begin, y(interval.before), round(since.x + since.width - begin, 1), 0)
        band = Box(since.x, y(interval.high), since.width, round(max(y(interval.low) - y(interval.high), 1), 1))
    return Chart(
        sides=sides,
        rows=tuple(Tick(y(value), show(value)) for value in _ticks(bottom, top, step)),
        columns=tuple(_columns(slots)),
        level=level,
        interval=band,
        drawn=tuple(_drawn(slot, x(place), width, y, show) for place, slot in enumerate(slots)),
        flags=tuple(_flags(slots, marks, width)),
    )


def _drawn(slot: Slot, x: float, width: float, y: Callable[[float], float], show: Callable[[float], str]) -> Drawn:
    middle, half = verdicts.center(slot.runs), min(width * 0.34, 16)
    step = 2 * half / max(len(slot.runs), 1)
    dots = tuple(Dot(round(x - half + (place + 0.5) * step, 1), y(value)) for place, value in enumerate(slot.runs))
    label = f"{moment(slot.at)} UTC: {show(middle)}, runs {', '.join(map(show, slot.runs))}"
    return Drawn(slot.side, label, dots, Box(round(x - half, 1), y(middle), round(2 * half, 1), 0))


def _sides(slots: Sequence[Slot], width: float) -> Iterator[tuple[Side, Box]]:
    """Each run of neighbours on one side that was compared."""
    begin = 0
    for place in range(1, len(slots) + 1):
        if place == len(slots) or slots[place].side is not slots[begin].side:
            side = slots[begin].side
            if side is not Side.OTHER:
                left, length = LEFT + begin * width, (place - begin) * width
                yield side, Box(round(left, 1), TOP, round(length, 1), BOTTOM - TOP, side.value if length >= 34 else "")
            begin = place


def _flags(slots: Sequence[Slot], marks: Sequence[tuple[int, datetime]], width: float) -> Iterator[Flag]:
    """A mark stands on the border of the two snapshots between which it happened; several share it."""
    gaps: dict[int, list[int]] = {}
    for number, at in marks:
        gaps.setdefault(sum(slot.at <= at for slot in slots), []).append(number)
    for gap, numbers in sorted(gaps.items()):
        apart = min(13.0, width / len(numbers))
        middle = min(max(LEFT + gap * width, LEFT + len(numbers) * apart / 2), RIGHT - len(numbers) * apart / 2)
        for place, number in enumerate(sorted(numbers)):
            yield Flag(round(middle + (place - (len(numbers) - 1) / 2) * apart, 1), number)


def _axis(low: float, high: float, least: float) -> tuple[float, float, float]:
    """From where to where the axis goes, and its step: from nothing on, where that wastes little room."""
    span = max(high - low, _LEAST_SPAN * abs(high), least)
    middle = (low + high) / 2
    begin, end = middle - span * 0.6, middle + span * 0.6
    if low >= 0 and (begin < 0 or begin < 0.6 * end):
        begin = 0.0
    step = _step((end - begin) / 4)
    return math.floor(begin / step + 1e-9) * step, math.ceil(end / step - 1e-9) * step, step


def _ticks(bottom: float, top: float, step: float) -> list[float]:
    return [bottom + index * step for index in range(round((top - bottom) / step) + 1)]


def _step(raw: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(raw))
    return next(factor * magnitude for factor in _STEPS if factor * magnitude >= raw * (1 - 1e-9))


def _columns(slots: Sequence[Slot]) -> Iterator[Tick]:
    if len(slots) == 1:
        yield Tick((LEFT + RIGHT) / 2, moment(slots[0].at))
        return
    first, last = slots[0].at, slots[-1].at
    yield Tick(LEFT, moment(first), "start")
    same_day = first.date() == last.date()
    yield Tick(RIGHT, f"{last:%H:%M}" if same_day else moment(last), "end")
