"""What was found, as bars that can be read on light and dark."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from bench.picture import STYLE

from .tables import EVERY, OURS, QUIET, Found

WIDTH, NAMES, BARS, ROW, GAP, TOP = 860, 220, 520, 20, 30, 84


def drawn(found: Mapping[str, Found], alarms: Mapping[str, Mapping[str, float]], metric: str) -> str:
    """By how much pages were slowed, and by rule, of a hundred those that were found."""
    worst = max(those[OURS] for those in alarms.values())
    title = f"Slowed pages that are found, by {metric}"
    parts = [
        f'<text class="title" x="0" y="24">{escape(title)}</text>',
        f'<text class="number" x="0" y="46">{escape(OURS)} had at most {worst:.1f} false alarms in 100 '
        "builds of any kind; the bars of the others are tuned to 1.</text>",
    ]
    y = TOP
    for effect, groups in found.items():
        for group in (EVERY, QUIET):
            if group not in groups:
                continue
            parts.append(f'<text class="workload" x="0" y="{y}">{escape(f"Slowed by {effect}, {group}")}</text>')
            y += ROW // 2
            for name, share in groups[group].items():
                kind = "ours" if name == OURS else ""
                x, length = NAMES, max(1.0, BARS * share / 100)
                parts += [
                    f'<text class="{kind}" x="{x - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>',
                    f'<rect class="{kind}" x="{x}" y="{y + 1}" width="{length:.1f}" height="14" rx="2"/>',
                    f'<text class="number" x="{x + length + 8:.1f}" y="{y + 12}">{share:.0f} %</text>',
                ]
                y += ROW
            y += GAP
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 0 {WIDTH + 32} {y - GAP + 10}" width="{WIDTH + 32}" '
            f'height="{y - GAP + 10}" role="img" aria-labelledby="title">',
            f'<title id="title">{escape(title)}</title>',
            f"<style>{STYLE}</style>",
            *parts,
            "</svg>\n",
        )
    )
