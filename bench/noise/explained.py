"""The picture in docs/verdicts.md: a page that was slowed on purpose, as it was measured, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from bench.picture import STYLE as COLOURS
from domain.measuring import EngineName
from domain.verdicts import statistics
from domain.verdicts.judging import Judged, judge

from .builds import BEFORE, Drawing, Pool
from .collect import Subject

WIDTH, HEIGHT, LEFT, TOP, STEP = 860, 380, 70, 70, 104
PLOT = 230
STYLE = """
  .run { fill: #8c959f; opacity: .8 } .since { fill: #0969da; opacity: .7 }
  .centre { stroke: #1f2328; stroke-width: 3 } .axis { stroke: #d0d7de } .middle { stroke: #59636e; stroke-dasharray: 4 4 }
  .interval { fill: #0969da; opacity: .12 }
  @media (prefers-color-scheme: dark) {
    .run { fill: #6e7681 } .since { fill: #4493f8 } .centre { stroke: #e6edf3 } .axis { stroke: #30363d }
    .middle { stroke: #9198a1 } .interval { fill: #4493f8; opacity: .2 }
  }
"""


def drawn(unchanged: Pool, slowed: Pool, effect: float, subject: Subject) -> str:
    """The first build in which it is found, with one of these pages slowed by `effect`."""
    drawing = Drawing(EngineName.LIGHTHOUSE, unchanged, {effect: {subject: slowed[subject]}})
    for number in range(1_000):
        build = drawing.build((7, number), effect)
        for place in build.slowed:
            judged = judge(build.compared, len(build.compared[place].after) - 1)[place]
            if judged.is_confirmed:
                each = build.compared[place]
                return _drawn([*each.before, *each.after], judged, len(build.compared), effect)
    raise SystemExit("It is found in none of a thousand builds.")


def _drawn(snapshots: Sequence[Sequence[float]], judged: Judged, compared: int, effect: float) -> str:
    found = judged.evidence
    assert found is not None  # what is confirmed has some
    values = [value for runs in snapshots for value in runs]
    low, high = min(values), max(*values, found.before + found.high)
    title = f"A page whose answers were delayed so that LCP moved by {effect:.0%}: REGRESSED"

    def y(value: float) -> float:
        return TOP + PLOT * (1 - (value - low) / (high - low))

    def x(place: int) -> float:
        return LEFT + STEP * (place + 0.5)

    def parts() -> Iterator[str]:
        top, bottom = y(found.before + found.high), y(found.before + found.low)
        begins, ends = x(BEFORE) - STEP / 2, x(len(snapshots) - 1) + STEP / 2
        yield f'<rect class="interval" x="{begins}" y="{top:.1f}" width="{ends - begins}" height="{bottom - top:.1f}"/>'
        yield f'<line class="middle" x1="{LEFT}" x2="{ends}" y1="{y(found.before):.1f}" y2="{y(found.before):.1f}"/>'
        for value in (low, found.before, found.after):
            yield f'<text class="number" x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:,.0f} ms</text>'
        for place, runs in enumerate(snapshots):
            kind = "run" if place < BEFORE else "since"
            for number, value in enumerate(runs):
                at = x(place) + 9 * (number - (len(runs) - 1) / 2)
                yield f'<circle class="{kind}" cx="{at:.1f}" cy="{y(value):.1f}" r="4"/>'
            middle = y(statistics.center(runs))
            yield f'<line class="centre" x1="{x(place) - 28}" x2="{x(place) + 28}" y1="{middle:.1f}" y2="{middle:.1f}"/>'
            name = f"before {place + 1}" if place < BEFORE else "suspected" if place == BEFORE else f"confirms {place - BEFORE}"
            yield f'<text class="number" x="{x(place)}" y="{TOP + PLOT + 28}" text-anchor="middle">{name}</text>'
        yield f'<line class="axis" x1="{LEFT}" x2="{ends}" y1="{TOP + PLOT + 10}" y2="{TOP + PLOT + 10}"/>'
        said = (
            f"{found.change:+,.0f} ms, 95 % interval {found.low:+,.0f} to {found.high:+,.0f} ms (shaded), "
            f"p {found.all:.1g} of {compared} compared at once"
        )
        yield f'<text class="ours" x="0" y="{TOP + PLOT + 60}">{escape(said)}</text>'

    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            'role="img" aria-labelledby="title">',
            f'<title id="title">{escape(title)}</title>',
            f"<style>{COLOURS}{STYLE}</style>",
            f'<text class="title" x="0" y="24">{escape(title)}</text>',
            '<text class="number" x="0" y="44">Each dot is a run, each bar stands for a snapshot; the dashed line is what was '
            "before.</text>",
            *parts(),
            "</svg>\n",
        )
    )
