"""What came of it, counted, and as tables in the terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from rich import box
from rich.table import Table

from domain.measuring import MetricName
from domain.metrics import CATALOGUE

from .builds import Pool, middle
from .builds import variation as variation_of
from .rules import RIVALS, Highest, Sure

OURS = "Pacemark"
STEADY = 0.03
EVERY, QUIET = "all pages", f"those that vary by {STEADY:.0%} or less"

Found = Mapping[str, Mapping[str, float]]
"""By group of pages and rule, of a hundred that were slowed those that were found."""


class Alarm(Protocol):
    @property
    def wrong(self) -> bool: ...

    @property
    def suspects(self) -> int: ...

    @property
    def again(self) -> int: ...

    @property
    def incomparable(self) -> float: ...

    @property
    def usual(self) -> Mapping[str, bool]: ...


class Find(Protocol):
    @property
    def subject(self) -> str: ...

    @property
    def found(self) -> bool: ...

    @property
    def scores(self) -> Mapping[str, Sure]: ...

    @property
    def beside(self) -> bool: ...


def spread(unchanged: Pool, metric: MetricName) -> dict[str, Any]:
    return {
        " ".join(subject): dict(zip(("runs", "snapshots"), variation_of(those, metric), strict=True))
        for subject, those in unchanged.items()
    }


def variation(unchanged: Pool, slowed: Mapping[float, Pool], metric: MetricName) -> Table:
    """How far apart what was measured lies, and how far pages moved that were to move."""
    columns = ["Page", "Snapshots", "Runs vary by", "Snapshots vary by", *(f"to move by {effect:.0%}" for effect in slowed)]
    table = Table(
        *columns, box=box.SIMPLE_HEAD, title=f"{CATALOGUE[metric].title} of unchanged pages, and of those slowed on purpose"
    )
    for subject, those in sorted(unchanged.items()):
        runs, snapshots = variation_of(those, metric)
        moved = [pool.get(subject, ()) for pool in slowed.values()]
        base = middle(those, metric)
        shown = [f"{100 * (middle(each, metric) / base - 1):+.1f} % ({len(each)})" if each else "–" for each in moved]
        table.add_row(" ".join(subject), str(len(those)), f"{100 * runs:.1f} %", f"{100 * snapshots:.1f} %", *shown)
    return table


def alarms(found: Sequence[Alarm]) -> dict[str, float]:
    """Of a hundred builds in which nothing is worse; of rivals as they are used, with nothing tuned."""
    number = len(found)
    told = {OURS: sum(each.wrong for each in found)} | {name: sum(each.usual[name] for each in found) for name in RIVALS}
    shares = {name: 100 * those / number for name, those in told.items()}
    return shares | {
        "suspects": sum(each.suspects for each in found) / number,
        "measured again": sum(each.again for each in found) / number,
        "incomparable": 100 * sum(each.incomparable for each in found) / number,
    }


def found(finds: Sequence[Find], bars: Mapping[str, Highest], metric: MetricName, steady: Collection[str]) -> Found:
    groups = {EVERY: list(finds), QUIET: [each for each in finds if each.subject in steady]}
    for each in finds:
        groups.setdefault(each.subject, []).append(each)
    told: dict[str, dict[str, float]] = {}
    for group, those in groups.items():
        if those:
            number = {OURS: sum(each.found for each in those)}
            number |= {name: sum(each.scores[name] > bar[metric] for each in those) for name, bar in bars.items()}
            told[group] = {name: 100 * hits / len(those) for name, hits in number.items()}
    return told


def of_alarms(told: Mapping[str, Mapping[str, float]], windows: int) -> Table:
    table = Table("Builds", OURS, *RIVALS, box=box.SIMPLE_HEAD, title="False alarms in 100 builds (others as they are used)")
    for name, those in told.items():
        table.add_row(name, *(f"{those[rule]:.1f}" for rule in (OURS, *RIVALS)))
    first = next(iter(told.values()))
    table.caption = (
        f"In the order measured there are {windows} times to begin at. "
        f"{first['suspects']:.1f} suspects a build, for which {first['measured again']:.1f} pages are measured again; "
        f"{first['incomparable']:.1f} % are incomparable."
    )
    return table


def of_finds(told: Mapping[str, Found], beside: Mapping[str, float]) -> Table:
    title = "Found of 100 slowed pages (others tuned to 1 false alarm in 100 builds of each kind)"
    table = Table("Slowed by", "Page", OURS, *RIVALS, box=box.SIMPLE_HEAD, title=title)
    for effect, groups in told.items():
        for group in sorted(groups, key=lambda name: (name not in (EVERY, QUIET), name)):
            table.add_row(effect, group, *(f"{groups[group][rule]:.0f} %" for rule in (OURS, *RIVALS)))
    share = max(beside.values(), default=0.0)
    table.caption = (
        f"Beside a page that was slowed {OURS} named another one, which was not, in at most {share:.1f} of 100 builds."
    )
    return table
