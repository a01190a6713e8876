"""How often a verdict is wrong, and what it finds: over real measurements of unchanged pages, and of pages slowed on purpose.

python -m bench.verdicts collect --engine lighthouse --minutes 60
python -m bench.verdicts judge
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.noise.builds import METRICS, Drawing, Pool, variation
from bench.noise.collect import EFFECTS, Collector, read
from bench.noise.rules import RIVALS, bar, pacemark, scores
from domain.measuring import Engine, EngineName, MetricName

FOLDER = Path(__file__).parent / "noise" / "measured"
RATE = 0.01
"""So many builds may have a false alarm; others' rules are tuned to it."""

STEADY = 0.03


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__, formatter_class=_Plain)
    chores = parser.add_subparsers(required=True)
    collect = chores.add_parser("collect", help="measure the pages again and again, and keep every run")
    collect.add_argument("--engine", choices=["lighthouse", "probe"], default="lighthouse")
    collect.add_argument("--minutes", type=float, default=60)
    collect.set_defaults(chore=_collect)
    judge = chores.add_parser("judge", help="draw builds from what was measured, and judge them")
    judge.add_argument("--builds", type=int, default=400, help="so many of each kind")
    judge.add_argument("--engine", choices=["lighthouse", "probe"], default="lighthouse")
    judge.add_argument("--seed", type=int, default=1)
    judge.set_defaults(chore=_judge)
    given = parser.parse_args()
    given.chore(given)


class _Plain(argparse.RawDescriptionHelpFormatter):
    pass


def _collect(given: argparse.Namespace) -> None:
    FOLDER.mkdir(exist_ok=True)
    decisive = METRICS[given.engine.upper()][0]
    collector = Collector(
        _engine(given.engine), decisive, FOLDER / f"{given.engine}.jsonl", lambda text: print(text, flush=True)
    )
    asyncio.run(collector.collect(time.time() + 60 * given.minutes))


def _engine(name: str) -> Engine:
    from infra.engines.guard import Guard
    from infra.engines.lighthouse import LighthouseEngine
    from infra.engines.probe import ProbeEngine

    guard = Guard(allow_private=True)
    if name == "probe":
        return ProbeEngine(guard)
    return LighthouseEngine(guard, lock_file=Path(gettempdir()) / "pacemark-lighthouse.lock")


def _judge(given: argparse.Namespace) -> None:
    engine = EngineName(given.engine.upper())
    snapshots = list(read(FOLDER / f"{given.engine}.jsonl"))
    unchanged = _pool([each for each in snapshots if not each.effect])
    slowed = {effect: _pool([each for each in snapshots if each.effect == effect]) for effect in EFFECTS}
    console = Console(highlight=False)
    decisive = METRICS[engine][0]
    spread = variation(unchanged, decisive)
    console.print(_variation(unchanged, slowed, spread, decisive))
    said: dict[str, Any] = {"engine": engine, "builds": given.builds, "variation": {" ".join(k): v for k, v in spread.items()}}
    said["alarms"] = {}
    kinds = {"as drawn": {}, "in the order measured": {"in_time": True}, "with drift of 1 %": {"drift": 0.01}}
    highest: dict[str, list[float]] = {name: [] for name in RIVALS}
    for kind, how in kinds.items():
        drawing = Drawing(engine, unchanged, slowed, given.seed, **how)  # type: ignore[arg-type]  # its own names
        wrong = suspects = 0
        for _ in range(given.builds):
            build = drawing.build()
            worse, number = pacemark(build)
            wrong, suspects = wrong + any(worse), suspects + number
            if not how:
                for name, rule in RIVALS.items():
                    highest[name].append(max(scores(rule, build)))
        said["alarms"][kind] = {"per 100 builds": 100 * wrong / given.builds, "suspects a build": suspects / given.builds}
        console.print(
            f"{kind}: {100 * wrong / given.builds:.2f} false alarms in 100 builds, {suspects / given.builds:.1f} suspects"
        )
    bars = {name: bar(found, RATE) for name, found in highest.items()}
    said["found"] = _found(given, engine, unchanged, slowed, spread, bars)
    console.print(_power(said["found"]))
    target = Path(__file__).parent / "results" / f"verdicts-{given.engine}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(said, indent=2))
    print(target, file=sys.stderr)


def _pool(snapshots: Sequence[Any]) -> Pool:
    pool: dict[tuple[str, str], list[Any]] = {}
    for each in snapshots:
        pool.setdefault(each.subject, []).append(each)
    return pool


def _found(
    given: argparse.Namespace,
    engine: EngineName,
    unchanged: Pool,
    slowed: Mapping[float, Pool],
    spread: Mapping[tuple[str, str], tuple[float, float]],
    bars: Mapping[str, float],
) -> dict[str, dict[str, dict[str, float]]]:
    """By effect, page and rule, of a hundred slowed pages those that were found."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for effect in EFFECTS:
        drawing = Drawing(engine, unchanged, slowed, given.seed + 1)
        hits: dict[str, dict[str, list[bool]]] = {}
        for _ in range(given.builds):
            build = drawing.build(effect)
            worse, _number = pacemark(build)
            for place in build.slowed:
                subject = build.compared[place].subject[1]  # type: ignore[index]  # a pair, as the builds make it
                groups = ["all pages", *(["varies by 3 % or less"] if spread[subject][1] <= STEADY else []), " ".join(subject)]
                for group in groups:
                    rules = hits.setdefault(group, {})
                    rules.setdefault("Pacemark", []).append(worse[place])
                    for name, rule in RIVALS.items():
                        rules.setdefault(name, []).append(rule(build.compared[place]) > bars[name])
        found[f"{effect:.0%}"] = {
            group: {name: 100 * sum(those) / len(those) for name, those in rules.items()} for group, rules in hits.items()
        }
    return found


def _variation(
    unchanged: Pool, slowed: Mapping[float, Pool], spread: Mapping[tuple[str, str], tuple[float, float]], metric: MetricName
) -> Table:
    table = Table(
        "Page", "Snapshots", "Runs vary by", "Snapshots vary by", *(f"slowed by {e:.0%}" for e in EFFECTS), box=box.SIMPLE_HEAD
    )
    for subject, snapshots in unchanged.items():
        middle = _middle(snapshots, metric)
        moved = [_middle(slowed[effect].get(subject, ()), metric) for effect in EFFECTS]
        really = [f"{100 * (each / middle - 1):+.1f} %" if each else "–" for each in moved]
        within, between = spread[subject]
        table.add_row(" ".join(subject), str(len(snapshots)), f"{100 * within:.1f} %", f"{100 * between:.1f} %", *really)
    return table


def _middle(snapshots: Sequence[Any], metric: MetricName) -> float:
    values = sorted(run[metric.value] for each in snapshots for run in each.runs if metric.value in run)
    return values[len(values) // 2] if values else 0.0


def _power(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table:
    rules = ["Pacemark", *RIVALS]
    table = Table("Slowed by", "Page", *rules, box=box.SIMPLE_HEAD)
    for effect, groups in found.items():
        for group in sorted(groups, key=lambda name: (name not in ("all pages", "varies by 3 % or less"), name)):
            table.add_row(effect, group, *(f"{groups[group][rule]:.0f} %" for rule in rules))
    return table


if __name__ == "__main__":
    main()
