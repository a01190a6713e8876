"""The geometry of what is drawn: numbers go in, the coordinates of an SVG come out."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.metrics import Rating, Thresholds

WIDTH, HEIGHT = 420, 200
LEFT, RIGHT, TOP, BOTTOM = 58, 400, 10, 172

_SHAPE_HEIGHT = 10
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a time, None where there is a gap; a line joins only what has equal `conditions`."""

    at: datetime
    value: float | None
    conditions: Hashable
    current: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A part of an axis (from `start`, `length` long) in which values have one rating."""

    rating: Rating
    start: float
    length: float

    @property
    def has_room(self) -> bool:
        """Whether the rating's shape fits beside it."""
        return self.length >= _SHAPE_HEIGHT


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Dot:
    """`alike`: measured under the conditions of the present one."""

    x: float
    y: float
    label: str
    current: bool
    alike: bool


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that happened, and what it was."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    bands: tuple[Band, ...]
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    lines: tuple[str, ...]
    dots: tuple[Dot, ...]
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """One value and its spread on an axis from 0 to 100."""

    bands: tuple[Band, ...]
    value: float
    low: float
    high: float


def draw(
    points: Sequence[Point],
    show: Callable[[float], str],
    *,
    thresholds: Thresholds | None = None,
    most: float | None = None,
    happened: Sequence[tuple[datetime, str]] = (),
) -> Chart | None:
    """A line chart from zero to `most` (or to a round number above all values); None where nothing was measured.

    `points` are in the order of time, and what happened lies between the first and the last of them.
    """
    measured = [(point, point.value) for point in points if point.value is not None]
    if not measured:
        return None
    highest = max(value for _, value in measured) * 1.08
    step = _step(most or highest or 1)
    top = most or step * math.ceil(highest / step - 1e-9) or 1
    first, last = points[0].at, points[-1].at

    def x(at: datetime) -> float:
        span = (last - first).total_seconds()
        part = (at - first).total_seconds() / span if span else 0.5
        return round(LEFT + part * (RIGHT - LEFT), 1)

    def y(value: float) -> float:
        return round(BOTTOM - value / top * (BOTTOM - TOP), 1)

    current = next((point.conditions for point in points if point.current), points[-1].conditions)
    bands = _bands(thresholds, top) if thresholds else ()
    return Chart(
        bands=tuple(Band(rating, y(end), round(y(start) - y(end), 1)) for rating, start, end in bands),
        rows=tuple(Tick(y(index * step), show(index * step)) for index in range(int(top / step + 1e-9) + 1)),
        columns=tuple(_columns(first, last)),
        lines=tuple(_line([(x(point.at), y(value)) for point, value in run]) for run in _runs(points) if len(run) > 1),
        dots=tuple(
            Dot(x(point.at), y(value), f"{moment(point.at)} UTC: {show(value)}", point.current, point.conditions == current)
            for point, value in measured
        ),
        flags=tuple(Flag(x(at), f"{moment(at)} UTC: {what}") for at, what in happened),
    )


def scale(value: float, low: float, high: float, thresholds: Thresholds) -> Scale:
    """Where the value stands among its thresholds; what is below zero stands at the axis' begin."""
    top = max(thresholds.good, thresholds.poor, high, value) * 1.2

    def place(number: float) -> float:
        return round(min(max(number / top, 0), 1) * 100, 1)

    return Scale(
        tuple(
            Band(rating, place(start), round(place(end) - place(start), 1)) for rating, start, end in _bands(thresholds, top)
        ),
        place(value),
        place(low),
        place(high),
    )


def moment(at: datetime) -> str:
    """`3 Nov 2026, 14:05`."""
    return f"{at.day} {at:%b %Y, %H:%M}"


def _bands(thresholds: Thresholds, top: float) -> list[tuple[Rating, float, float]]:
    """The ratings and their parts of the axis from 0 to `top`; where more is better, `good` lies above `poor`."""
    low, high = sorted((min(thresholds.good, top), min(thresholds.poor, top)))
    ratings = (Rating.GOOD, Rating.NEEDS_IMPROVEMENT, Rating.POOR)
    if thresholds.good > thresholds.poor:
        ratings = ratings[::-1]
    parts = zip(ratings, (0.0, low, high), (low, high, top), strict=True)
    return [part for part in parts if part[2] > part[1]]


def _step(most: float) -> float:
    """A round step, at most five of which reach `most`."""
    raw = most / 5
    magnitude = 10.0 ** math.floor(math.log10(raw))
    return next(factor * magnitude for factor in _STEPS if factor * magnitude >= raw * (1 - 1e-9))


def _runs(points: Sequence[Point]) -> Iterator[list[tuple[Point, float]]]:
    """What may be joined: neighbours that were measured under equal conditions."""
    run: list[tuple[Point, float]] = []
    for point in points:
        if run and (point.value is None or point.conditions != run[-1][0].conditions):
            yield run
            run = []
        if point.value is not None:
            run.append((point, point.value))
    if run:
        yield run


def _line(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in places)


def _columns(first: datetime, last: datetime) -> Iterator[Tick]:
    """The first and the last day; within two days, the minutes too."""
    span = last - first

    def label(at: datetime) -> str:
        return f"{at.day} {at:%b, %H:%M}" if span < timedelta(days=2) else f"{at.day} {at:%b %Y}"

    if not span:
        yield Tick((LEFT + RIGHT) / 2, label(first))
        return
    yield Tick(LEFT, label(first), "start")
    yield Tick(RIGHT, label(last), "end")
