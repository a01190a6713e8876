"""How often a verdict is wrong, and what it finds: over real measurements of unchanged pages, and of pages slowed on purpose.

python -m bench.verdicts collect --engine lighthouse --minutes 60
python -m bench.verdicts judge --builds 1000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

from rich.console import Console

from bench.noise import picture, tables
from bench.noise.builds import AFTER, BEFORE, METRICS, Drawing, pooled, slowed_as_wanted, variation, windows
from bench.noise.collect import EFFECTS, Collector, read
from bench.noise.rules import RIVALS, Highest, Sure, bars, highest, pacemark, score
from domain.measuring import Engine, EngineName
from domain.metrics import CATALOGUE

MEASURED = Path(__file__).parent / "noise" / "measured"
RESULTS = Path(__file__).parent / "results"

RATE = 0.01
"""So many builds of each kind may have a false alarm; others' rules are tuned to it."""

DRIFT = 0.01
KINDS: dict[str, dict[str, Any]] = {
    "drawn at random": {},
    "in the order measured": {"in_time": True},
    "all those after in one hour": {"in_one_hour": True},
    f"with a drift of {DRIFT:.0%} a snapshot": {"drift": DRIFT},
    "without history": {"known": 0},
}
"""Of builds in which nothing is worse."""

LEAST_BUILDS = 100
SEED = 20_261_123
PIECE = 5
WIDTH = 150


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.verdicts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=["lighthouse", "probe"], default="lighthouse")
    chores = parser.add_subparsers(required=True)
    collect = chores.add_parser("collect", help="measure the pages again and again, and keep every run")
    collect.add_argument("--minutes", type=float, default=60)
    collect.set_defaults(chore=_collect)
    judge = chores.add_parser("judge", help="draw builds from what was measured, and judge them")
    judge.add_argument("--builds", type=int, default=1_000, help="so many of each kind")
    judge.set_defaults(chore=_judge)
    given = parser.parse_args()
    given.chore(given)


def _collect(given: argparse.Namespace) -> None:
    MEASURED.mkdir(exist_ok=True)
    decisive = METRICS[EngineName(given.engine.upper())][0]
    collector = Collector(_engine(given.engine), decisive, MEASURED / f"{given.engine}.jsonl", partial(print, flush=True))
    asyncio.run(collector.collect(time.time() + 60 * given.minutes))


def _engine(name: str) -> Engine:
    from infra.engines.guard import Guard
    from infra.engines.lighthouse import LighthouseEngine
    from infra.engines.probe import ProbeEngine

    guard = Guard(allow_private=True)
    if name == "probe":
        return ProbeEngine(guard)
    return LighthouseEngine(guard, lock_file=Path(gettempdir()) / "pacemark-lighthouse.lock")


class Alarm(NamedTuple):
    """What is said of a build in which nothing is worse; of the others as they are used, and how sure they are."""

    wrong: bool
    suspects: int
    again: int
    incomparable: float
    usual: dict[str, bool]
    highest: dict[str, Highest]


def _alarms(drawing: Drawing, kind: int, numbers: Sequence[int]) -> list[Alarm]:
    found = []
    for number in numbers:
        build = drawing.build((SEED, kind, number))
        told = pacemark(build)
        surest = {name: highest(rival, build) for name, rival in RIVALS.items()}
        usual = {name: surest[name][0][0] > rival.usual for name, rival in RIVALS.items()}
        tuned = {name: those for name, (_, those) in surest.items()}
        share = len(build.incomparable) / len(build.compared)
        found.append(Alarm(bool(told.worse), told.suspects, told.measured_again, share, usual, tuned))
    return found


class Find(NamedTuple):
    """The page that was slowed: whether Pacemark confirms that, and how sure the others are of it; `beside`: whether it names
    another page, too.
    """

    subject: str
    found: bool
    scores: dict[str, Sure]
    beside: bool


def _finds(drawing: Drawing, effect: float, numbers: Sequence[int]) -> list[Find]:
    found = []
    for number in numbers:
        build = drawing.build((SEED, 99, number), effect)
        worse = pacemark(build).worse
        for place in build.slowed:
            each = build.compared[place]
            beside = any(build.compared[other].subject != each.subject for other in worse)
            there = {name: score(rival, each) for name, rival in RIVALS.items()}
            found.append(Find(" ".join(str(each.subject).split()[1:]), place in worse, there, beside))
    return found


def _judge(given: argparse.Namespace) -> None:
    if given.builds < LEAST_BUILDS:
        raise SystemExit(f"{RATE:.0%} of fewer than {LEAST_BUILDS} builds is none: --builds {LEAST_BUILDS} or more.")
    engine = EngineName(given.engine.upper())
    decisive = METRICS[engine][0]
    snapshots = list(read(MEASURED / f"{given.engine}.jsonl"))
    unchanged = pooled(each for each in snapshots if not each.effect)
    there = min(map(len, unchanged.values()), default=0)
    if there < BEFORE + AFTER:
        raise SystemExit(f"There are only {there} snapshots of some page, and a build takes {BEFORE + AFTER}: collect more.")
    everything = {effect: pooled(each for each in snapshots if each.effect == effect) for effect in EFFECTS}
    slowed = {effect: slowed_as_wanted(unchanged, pool, effect, decisive) for effect, pool in everything.items()}
    console = Console(highlight=False, width=WIDTH)
    console.print(tables.variation(unchanged, everything, decisive))
    pieces = [range(first, min(first + PIECE, given.builds)) for first in range(0, given.builds, PIECE)]
    with ProcessPoolExecutor() as pool:
        alarms = {}
        for kind, (name, how) in enumerate(KINDS.items()):
            drawing = Drawing(engine, unchanged, slowed, **how)
            alarms[name] = list(chain.from_iterable(pool.map(partial(_alarms, drawing, kind), pieces)))
        drawing = Drawing(engine, unchanged, slowed)
        finds = {
            effect: list(chain.from_iterable(pool.map(partial(_finds, drawing, effect), pieces)))
            for effect in EFFECTS
            if slowed[effect]
        }
    tuned = {name: bars([[each.highest[name] for each in those] for those in alarms.values()], RATE) for name in RIVALS}
    steady = {" ".join(subject) for subject, those in unchanged.items() if variation(those, decisive)[1] <= tables.STEADY}
    said = {
        "engine": engine,
        "metric": decisive,
        "builds": given.builds,
        "snapshots": there,
        "windows": windows(unchanged),
        "pages": tables.spread(unchanged, decisive),
        "alarms": {name: tables.alarms(those) for name, those in alarms.items()},
        "beside": {f"{effect:.0%}": 100 * sum(each.beside for each in those) / len(those) for effect, those in finds.items()},
        "found": {f"{effect:.0%}": tables.found(those, tuned, decisive, steady) for effect, those in finds.items()},
    }
    console.print(tables.of_alarms(said["alarms"], windows(unchanged)))
    console.print(tables.of_finds(said["found"], said["beside"]))
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"verdicts-{given.engine}-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.json"
    target.write_text(json.dumps(said, indent=2))
    target.with_suffix(".svg").write_text(picture.drawn(said["found"], said["alarms"], CATALOGUE[decisive].title))
    console.print(f"{target}\n{target.with_suffix('.svg')}", soft_wrap=True)


if __name__ == "__main__":
    main()
