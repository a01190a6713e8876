"""What every server is asked, in which order by which connection, and whether two answers are the same."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bench.peers.running import ROOT

FOLDER = ROOT / "bench" / "workloads"
WORKLOADS = ("lookup", "history", "dashboard", "mixed", "list", "refused", "introspection")
OF_PAGES = ("lookup", "history", "refused")
OF_WORKSPACES = ("dashboard", "list")
MIXTURE = "LLLLHLLLLLHLLLLLHLLD"
"""Sixteen lookups, three histories and a dashboard."""


class Asked(NamedTuple):
    query: str
    variables: Mapping[str, str]

    @property
    def body(self) -> str:
        return json.dumps({"query": self.query, "variables": self.variables})


class Round(NamedTuple):
    """All bodies, and for each connection those that it asks, by their places, one after the other, round and round."""

    bodies: Sequence[str]
    asks: Sequence[Sequence[int]]


def asked(workload: str, pages: Sequence[str]) -> list[Asked]:
    """The different requests of a workload; of those of pages one a page, in their order."""
    if workload == "mixed":
        return [*asked("lookup", pages), *asked("history", pages), *asked("dashboard", pages)]
    query = (FOLDER / f"{workload}.graphql").read_text()
    if workload in OF_PAGES:
        return [Asked(query, {"id": page}) for page in pages]
    return [Asked(query, {"slug": "default"} if workload in OF_WORKSPACES else {})]


def shared(workload: str, pages: Sequence[str], connections: int) -> Round:
    """Each connection has pages of its own, so that no two ask the same thing of a page at once."""
    bodies = [each.body for each in asked(workload, pages)]
    asks = [list(_asks(workload, len(pages), connections, number)) for number in range(connections)]
    return Round(bodies, asks)


def _asks(workload: str, pages: int, connections: int, number: int) -> Iterator[int]:
    own = range(number % pages, pages, connections)
    if workload in OF_PAGES:
        yield from own
    elif workload == "mixed":
        # Where in the mixture it begins is its own, too: dashboards do not come all at once.
        begin = number * len(MIXTURE) // connections
        following = itertools.cycle(own)
        for step in range(len(MIXTURE) * len(own)):
            kind = MIXTURE[(begin + step) % len(MIXTURE)]
            yield 2 * pages if kind == "D" else next(following) + (pages if kind == "H" else 0)
    else:
        yield 0


def comparable(workload: str, answer: Mapping[str, Any]) -> Any:
    """Data, and errors by message and path. Of an introspection, the types but for GraphQL's own, which libraries differ in."""
    data = answer["data"]
    if workload == "introspection":
        types = [each for each in data["__schema"]["types"] if not each["name"].startswith("__")]
        data = {**data["__schema"], "types": sorted(types, key=lambda each: str(each["name"]))}
    return data, [(error["message"], error.get("path")) for error in answer.get("errors", ())]


def difference(ours: Any, theirs: Any, path: str = "") -> str | None:
    """Where two answers part first, for a person; None where they do not. A number is what it is worth, 1 or 1.0."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return f"{path or 'the answer'} has the fields {list(theirs)}, not {list(ours)}"
        pairs = [(f"{path}.{name}", ours[name], theirs[name]) for name in ours]
    elif isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        if len(ours) != len(theirs):
            return f"{path or 'the answer'} has {len(theirs)} items, not {len(ours)}"
        pairs = [(f"{path}[{place}]", one, other) for place, (one, other) in enumerate(zip(ours, theirs, strict=True))]
    else:
        same = ours == theirs and isinstance(ours, bool) == isinstance(theirs, bool)
        return None if same else f"{path or 'the answer'} is {theirs!r}, not {ours!r}"
    return next(filter(None, (difference(one, other, where) for where, one, other in pairs)), None)
