"""No tenant sees another's: every table says whose its rows are, and every read is told how far the actor reaches."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from domain.base import Base

from .code import public_coroutines, rooms, tree

NO_TENANTS_TABLE = {
    "identities": "a person's",
    "links": "a person's",
    "mails": "to whom and about what is sealed",
    "refresh_tokens": "a session's",
    "sessions": "a person's",
    "signing_keys": "the installation's own",
    "history": "of the one history that all workspaces' events are in",
    "leases": "which process does what",
    "replays": "belongs to an actor, and is read by that actor's name",
    "runners": "the installation's own",
    "users": "a person may be in several workspaces",
    "workspaces": "the tenants themselves",
}

WITHOUT_REACH = {
    "accounts.get": "reads the actor's own account",
    "documents.resolve": "looks into the one workspace that a request is in",
    "files.fetch": "its caller has checked the link's signature",
    "jobs.by_kinds": "numbers alone, for the operator",
    "keys.actor_for_key": "finds out who the actor is",
    "keys.current": "reads the actor's own key",
    "runners.all_seen": "runners are no tenant's",
    "runners.by_ids": "runners are no tenant's",
    "workspaces.find": "for the operator at the command line",
    "workspaces.first_owner": "for the operator at the command line",
}


def boundless(module: ast.Module) -> Iterator[str]:
    """The names of the module's public coroutines that take no `reach`, or take it and never use it."""
    for function in public_coroutines(module):
        parameters = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        if "reach" not in parameters & names:
            yield function.name


def test_every_table_of_a_tenant_says_whose_its_rows_are() -> None:
    for room in rooms():
        importlib.import_module(f"domain.{room}")
    for module in ("history", "idempotency", "leases"):
        importlib.import_module(f"domain.{module}")
    ownerless = {table.name for table in Base.metadata.tables.values() if "workspace_id" not in table.c}
    assert ownerless == set(NO_TENANTS_TABLE)


def test_every_query_is_told_how_far_the_actor_reaches() -> None:
    files = [(room, Path("domain", room, "queries.py")) for room, modules in rooms().items() if "queries" in modules]
    assert files
    assert {f"{room}.{name}" for room, path in files for name in boundless(tree(path))} == set(WITHOUT_REACH)


def test_a_query_without_reach_is_seen() -> None:
    module = ast.parse(
        "async def missing(reader, ids): ...\n"
        "async def ignored(reader, reach, ids): return await reader.all(Q, ids=ids)\n"
        "async def bounded(reader, reach, ids): return await reader.all(Q, ids=ids, reach=reach)"
    )
    assert list(boundless(module)) == ["missing", "ignored"]
