"""A field whose value is about whoever asks, beside what they may see, is marked: nobody else is given its answer.

Events are executed once for all who may see the same, and answers are kept by caches. So a resolver that asks for more of
the actor than what they may see says so by `metadata=PERSONAL`; and what is no resolver does not ask at all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.marks import is_personal
from graph.schema import schema

from .code import python_files, tree

# What receives, executes and delivers operations: it knows who asks, and no field's value is made there.
AROUND = {
    "graph/callers.py",
    "graph/context.py",
    "graph/execution",
    "graph/operations",
    "graph/standing.py",
    "graph/transports",
}

WHAT_THEY_MAY_SEE = {"roles", "reach", "may", "require", "permissions", "view", "is_somebody", "sites"}
WHO_THEY_ARE = {"user_id", "key_id", "session_id", "caller", "charge"}
# Whether a subscriber still may listen.
ASKED_FOR_LEAVE = "standings.of"


def unmarked(module: ast.Module) -> Iterator[str]:
    """Every place that asks who the actor is, outside of a marked field."""
    parents = {child: node for node in ast.walk(module) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and _asks_who(node, parents) and not _is_marked(node, parents):
            yield f"{node.lineno} {ast.unparse(node)}"


def _asks_who(node: ast.Attribute, parents: dict[ast.AST, ast.AST]) -> bool:
    if node.attr in WHO_THEY_ARE:
        return ast.unparse(node.value) != "row"  # of which it is a column
    if node.attr != "actor" or isinstance(node.ctx, ast.Store):
        return False
    around = parents[node]
    if isinstance(around, ast.Attribute):
        return around.attr not in WHAT_THEY_MAY_SEE
    return not (isinstance(around, ast.Call) and ast.unparse(around.func).endswith(ASKED_FOR_LEAVE))


def _is_marked(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_marks, node.decorator_list)):
            return True
    return False


def _marks(decorator: ast.expr) -> bool:
    """A marked field, or a change, whose answer is nobody else's anyway."""
    if not isinstance(decorator, ast.Call):
        return False
    name = ast.unparse(decorator.func).rpartition(".")[2]
    marks = any(each.arg == "metadata" and ast.unparse(each.value).endswith("PERSONAL") for each in decorator.keywords)
    return name == "mutation" or (name in ("field", "subscription") and marks)


def is_around(path: Path) -> bool:
    return any(str(each) in AROUND for each in (path, *path.parents))


def test_whoever_asks_is_asked_about_in_marked_fields_alone() -> None:
    paths = [path for path in python_files("graph") if not is_around(path)]
    assert len(paths) > 20
    assert [f"{path}:{place}" for path in paths for place in unmarked(tree(path))] == []


def test_these_fields_are_about_whoever_asks() -> None:
    marked = {
        f"{name}.{field}"
        for name, type in schema._schema.type_map.items()
        for field, value in getattr(type, "fields", {}).items()
        if "strawberry-definition" in value.extensions and is_personal(value)
    }
    assert marked == {
        "Query.rateLimit",
        "Query.viewer",
        "Session.isThis",
        "User.email",
        "User.securityLog",
        "User.sessions",
        "User.verifiedAt",
        "Viewer.deletedWorkspaces",
        "Viewer.key",
        "Viewer.user",
    }


FIELD = '@strawberry.field(description="It."{mark})\n@staticmethod\nasync def it(row, info):\n    {body}'


@pytest.mark.parametrize(
    "body",
    [
        "return info.context.actor.user_id",
        "return info.context.actor.name",
        "return str(info.context.actor.key_id)",
        "me = info.context.actor\n    return me.name",
        "return helper(info.context.actor)",
        "return info.context.caller.address",
        "charge = info.context.charge\n    return charge.remaining",
        "now = await standing.require(reader, id)\n    return now.user_id",
        "def inner():\n        return info.context.actor.client_id\n    return inner()",
        "return [row for row in rows if row.owner == info.context.actor]",
    ],
)
def test_an_unmarked_field_is_seen(body: str) -> None:
    for mark in ("", ", metadata=OTHER"):
        assert list(unmarked(ast.parse(FIELD.format(mark=mark, body=body)))) != []
    for mark in (", metadata=PERSONAL", ", metadata=marks.PERSONAL"):
        assert list(unmarked(ast.parse(FIELD.format(mark=mark, body=body)))) == []


def test_a_helper_that_asks_for_a_field_is_seen() -> None:
    assert list(unmarked(ast.parse("def whose(info):\n    return info.context.actor.name"))) == ["2 info.context.actor"]


@pytest.mark.parametrize(
    "body",
    [
        "return info.context.actor.roles.get(row.id)",
        "info.context.actor.require(READ, row.id)",
        "return info.context.actor.may(READ, row.id) and info.context.actor.reach",
        "standing = context.services.standings.of(context.actor)",
        "context.actor = await standing.require(reader, id)",
        "return row.name, actor.name, row.client_id",
    ],
)
def test_what_one_may_see_needs_no_mark(body: str) -> None:
    assert list(unmarked(ast.parse(FIELD.format(mark="", body=body)))) == []


def test_a_change_is_answered_to_whoever_asked_for_it() -> None:
    change = '@mutation("Do it.")\nasync def it(self, info, input):\n    return info.context.actor.name'
    assert list(unmarked(ast.parse(change))) == []
