"""Every public action asks for a permission itself: whoever calls it cannot forget to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .code import public_coroutines, rooms, tree

NOBODY_IS_ASKED = {
    "accounts.register": "an account alone opens nothing",
    "accounts.sign_up": "a stranger's, to whom the settings may say no",
    "files.abandon": "only the worker that claimed the audit's row calls it, in the claim's own transaction",
    "mails.retry": "for the operator at the command line: mails are of no workspace",
    "mails.send": "written in the transaction of an action that has asked",
    "runners.appear": "a worker of this installation says that it is there; runners are no tenant's",
    "workspaces.create": "there is nobody in a new workspace yet who could have granted it",
    "workspaces.restore": "nobody is in a deleted workspace: it asks who owned it",
}


def unasked(module: ast.Module) -> Iterator[str]:
    """The names of the module's public coroutines that never ask: for a permission, or for who is signed in."""
    for function in public_coroutines(module):
        calls = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
        if not {"work.actor.require", "rules.person"} & set(calls):
            yield function.name


def test_every_public_action_asks_for_a_permission() -> None:
    files = [(room, Path("domain", room, "actions.py")) for room, modules in rooms().items() if "actions" in modules]
    assert files
    assert {f"{room}.{name}" for room, path in files for name in unasked(tree(path))} == set(NOBODY_IS_ASKED)


def test_an_action_that_asks_nobody_is_seen() -> None:
    module = ast.parse(
        "async def open(work): work.actor.may(READ, id)\n"
        "async def closed(work): work.actor.require(READ, id)\n"
        "async def _helper(work): ...\n"
        "def pure(): ..."
    )
    assert list(unasked(module)) == ["open"]
