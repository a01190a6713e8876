"""No tenant sees another's: every table says whose its rows are, and every read is told how far the actor reaches."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from domain.base import Base

from .code import public_coroutines, python_files, rooms, tree

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
    "documents.resolve": "looks into the one workspace that a request is in",
    "files.fetch": "its caller has checked the link's signature",
    "jobs.by_kinds": "numbers alone, for the operator",
    "keys.actor_for_key": "finds out who the actor is",
    "keys.current": "reads the actor's own key",
    "security.export": "for the operator at the command line",
    "workspaces.deleted_of": "reads the actor's own, which nobody is in any more",
    "workspaces.find": "for the operator at the command line",
    "workspaces.first_owner": "for the operator at the command line",
    "workspaces.invitation_by_token": "whoever holds the token",
    "workspaces.is_invited": "whoever has the address, as an issuer verified",
    "workspaces.named": "the one that an action is about",
}

BEYOND_REACH = {
    "app/checking/inputs.py": ["For the operator at the command line."],
    "app/report/permit.py": ["The signature speaks for the workspace that made the link."],
    "domain/alerts/holding.py": ["The scheduler tells again of what was put off, whosever it is."],
    "domain/audits/claims.py": [
        "A worker reads the audit that it has claimed.",
        "The sweep deletes what belongs to no audit any more, whosever it was.",
    ],
    "domain/files/queries.py": ["Whoever holds a signed link may fetch its file."],
    "domain/history.py": [
        "A number alone, for the operator.",
        "A number alone, of what its caller has found within reach.",
        "The feed carries all workspaces' events, and gives each follower those of theirs.",
    ],
    "domain/jobs/claims.py": ["Calls for all workspaces' jobs are sent again."],
    "domain/jobs/queries.py": ["Numbers alone, for the operator."],
    "domain/keys/queries.py": ["Finds out who asks, by their secret."],
    "domain/mails/queries.py": ["For the operator at the command line."],
    "domain/notifications/jobs.py": ["A worker reads the delivery that it has claimed."],
    "domain/schedules/silence.py": ["The scheduler looks after the schedules of all workspaces."],
    "domain/schedules/scheduler.py": [
        "The scheduler fires what is due in all workspaces.",
        "The scheduler puts off what it could not fire, whosever it is.",
    ],
    "domain/security/queries.py": [
        "An operator at the command line exports what happened in the whole installation.",
        "What belongs to no workspace, by the person's own id.",
    ],
    "domain/security/sealing.py": [
        "A number alone, for the operator.",
        "It is sealed anew, whosever it is, and shown to nobody.",
    ],
    "domain/workspaces/memberships.py": ["Finds out where somebody is a member."],
    "domain/workspaces/queries.py": [
        "For the operator at the command line.",
        "Nobody is in a deleted workspace; its owners are told of it by their own id.",
        "Whether somebody whom another issuer knows may sign up, by their own address.",
    ],
    "infra/bus/outbox.py": ["Kinds alone, to wake this process's workers."],
}
"""Every statement on a tenant's table that is held to no tenant, and why: infra/db/guard.py runs no other."""


def boundless(module: ast.Module) -> Iterator[str]:
    """The names of the module's public coroutines that take no `reach`, or take it and never use it."""
    for function in public_coroutines(module):
        parameters = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}
        names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        if "reach" not in parameters & names:
            yield function.name


def beyond_reach(module: ast.Module) -> list[str]:
    """Why the module's statements look beyond reach, each in its own words."""
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    given = (node.args[0] for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr == "beyond_reach")
    return sorted(ast.literal_eval(why) for why in given)


def of_tenants(room: str) -> bool:
    """Whether the room has a table whose rows are a tenant's."""
    tables = (mapper for mapper in Base.registry.mappers if mapper.class_.__module__.startswith(f"domain.{room}."))
    return any("workspace_id" in mapper.columns or mapper.class_.__tablename__ == "workspaces" for mapper in tables)


def test_every_table_of_a_tenant_says_whose_its_rows_are() -> None:
    for room in rooms():
        importlib.import_module(f"domain.{room}")
    for module in ("history", "idempotency", "leases"):
        importlib.import_module(f"domain.{module}")
    ownerless = {table.name for table in Base.metadata.tables.values() if "workspace_id" not in table.c}
    assert ownerless == set(NO_TENANTS_TABLE)


def test_every_query_is_told_how_far_the_actor_reaches() -> None:
    for room in rooms():
        importlib.import_module(f"domain.{room}")
    asked = [room for room, modules in rooms().items() if "queries" in modules and (of_tenants(room) or room == "jobs")]
    files = [(room, Path("domain", room, "queries.py")) for room in asked]
    assert len(files) > 5
    assert {f"{room}.{name}" for room, path in files for name in boundless(tree(path))} == set(WITHOUT_REACH)


def test_every_statement_beyond_reach_is_known() -> None:
    found = {str(path): beyond_reach(tree(path)) for path in python_files("app", "domain", "graph", "infra")}
    assert {path: reasons for path, reasons in found.items() if reasons} == BEYOND_REACH


def test_a_query_without_reach_is_seen() -> None:
    module = ast.parse(
        "async def missing(reader, ids): ...\n"
        "async def ignored(reader, reach, ids): return await reader.all(Q, ids=ids)\n"
        "async def bounded(reader, reach, ids): return await reader.all(Q, ids=ids, reach=reach)"
    )
    assert list(boundless(module)) == ["missing", "ignored"]
