"""A room of the domain is entered by its door: `from domain import audits`, then `audits.request(…)`.

Its types and constants may be named from the door (`from domain.audits import AuditState`); what it does is called
together with its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from .code import PACKAGES, python_files, rooms, tree


def windows(module: ast.Module, path: Path, rooms: Mapping[str, set[str]]) -> Iterator[str]:
    """Every place of the module at `path` that enters a room of the domain other than by its door."""
    package = path.parent.parts
    own = package[1] if len(package) > 1 and package[0] == "domain" else None
    entered: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "domain" and len(parts) > 1 and parts[1] in rooms and parts[1] != own:
                    yield f"{path}:{node.lineno} import {alias.name}"
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            parts = [*base, *(node.module.split(".") if node.module else [])]
            if parts[:1] != ["domain"]:
                continue
            if len(parts) == 1:
                entered |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in rooms}
            elif parts[1] in rooms and parts[1] != own and (len(parts) > 2 or any(map(is_verb, node.names))):
                yield f"{path}:{node.lineno} from {'.'.join(parts)} import …"
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            room = entered.get(node.value.id)
            if room is not None and node.attr in rooms[room]:
                yield f"{path}:{node.lineno} {room}.{node.attr}"


def is_verb(alias: ast.alias) -> bool:
    return alias.name[0].islower()


def test_nobody_climbs_into_a_room_by_a_window() -> None:
    inside = rooms()
    assert [place for path in python_files(*PACKAGES) for place in windows(tree(path), path, inside)] == []


def test_a_door_says_what_its_room_is_for_and_what_it_offers() -> None:
    for room in rooms():
        door = tree(Path("domain", room, "__init__.py"))
        assert ast.get_docstring(door), f"domain/{room} does not say what it is for"
        assert any(ast.unparse(node).startswith("__all__ = ") for node in door.body), (
            f"domain/{room} does not say what it offers"
        )


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("graph/audits.py", "from domain.audits.queries import by_ids"),
        ("graph/audits.py", "from domain.audits import queries"),
        ("graph/audits.py", "from domain.audits import request"),
        ("graph/audits.py", "import domain.audits.model"),
        ("graph/audits.py", "from domain import audits as heard\nheard.model.Audit"),
        ("infra/engines/probe/engine.py", "from domain.sites.rules import split_url"),
        ("domain/audits/actions.py", "from ..sites.model import Site"),
        ("domain/audits/actions.py", "from ..sites import by_ids"),
        ("domain/reactions.py", "from .audits.actions import request"),
    ],
)
def test_a_window_is_seen(path: str, line: str) -> None:
    assert len(list(windows(ast.parse(line), Path(path), {"audits": {"model", "queries"}, "sites": {"model"}}))) == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("graph/audits.py", "from domain import audits, errors\naudits.request"),
        ("graph/audits.py", "from domain.errors import NotFound"),
        ("graph/audits.py", "from domain.audits import PRODUCTION, AuditState"),
        (
            "domain/audits/actions.py",
            "from .. import sites\nfrom ..work import Work\nfrom . import queries\nqueries.by_ids",
        ),
        ("domain/audits/actions.py", "from .model import Audit\nfrom .queries import by_ids"),
        ("graph/sites.py", "from .audits import Audit"),
    ],
)
def test_a_door_is_no_window(path: str, line: str) -> None:
    assert list(windows(ast.parse(line), Path(path), {"audits": {"model", "queries"}, "sites": {"model"}})) == []
