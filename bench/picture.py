"""Bars of answers a second, a group a workload, as an SVG that can be read on light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from bench import figures
from bench.figures import OURS, Rounds
from bench.servers import CONTROLS

WIDTH = 860
NAMES = 190
BARS = 480
ROW = 20
GAP = 34
TOP = 56

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .workload { font-size: 13px; font-weight: 600 }
  .number, .control { fill: #59636e }
  rect { fill: #8c959f }
  rect.control { fill: #c5ccd3 }
  rect.ours { fill: #0969da }
  text.ours { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .number, .control { fill: #9198a1 }
    rect { fill: #6e7681 }
    rect.control { fill: #3d444d }
    rect.ours { fill: #4493f8 }
  }
"""


def drawn(rounds: Rounds, title: str) -> str:
    """The picture. Each group has a scale of its own, up to its fastest."""
    parts, y = [], TOP
    for workload, servers in rounds.items():
        parts.append(_text(0, y, workload, "workload"))
        y += ROW
        rates = {name: figures.middle(taken).rate for name, taken in servers.items()}
        for name, rate in rates.items():
            times = "" if name == OURS else f" (Pacemark: {figures.ratio(servers[OURS], servers[name]):.2f} ×)"
            parts += _bar(y, name, rate, rate / max(rates.values()), times)
            y += ROW
        y += GAP - ROW
    height = y + 10
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-16 0 {WIDTH + 32} {height}" width="{WIDTH + 32}"'
            f' height="{height}" role="img" aria-labelledby="title">',
            f'<title id="title">{escape(title)}</title>',
            f"<style>{STYLE}</style>",
            _text(0, 24, title, "title"),
            *parts,
            "</svg>\n",
        )
    )


def _bar(y: int, name: str, rate: float, share: float, times: str) -> Iterator[str]:
    kind = "ours" if name == OURS else "control" if name in CONTROLS else "peer"
    width = max(1, round(BARS * share))
    yield _text(NAMES - 8, y, name, kind, anchor="end")
    yield f'<rect class="{kind}" x="{NAMES}" y="{y - 11}" width="{width}" height="{ROW - 6}" rx="2"/>'
    yield _text(NAMES + width + 6, y, f"{rate:,.0f}{times}", "number")


def _text(x: int, y: int, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
