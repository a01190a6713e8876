"""A change in a workspace says in the schema which permission it asks for."""

from __future__ import annotations

from domain.access import Permission
from graph.marks import permission_of
from graph.schema import schema
from tests.graph.walking import WITHOUT_PERMISSION


def test_every_change_in_a_workspace_says_what_it_needs() -> None:
    assert schema._schema.mutation_type is not None
    fields = schema._schema.mutation_type.fields
    silent = {name for name, field in fields.items() if permission_of(field) is None}
    assert silent == set(WITHOUT_PERMISSION)
    assert {permission_of(fields[name]) for name in fields} - {None} == set(Permission) - {
        Permission.MEMBER_READ,
        Permission.SECURITY_READ,
    }


def test_these_fields_need_more_than_reading() -> None:
    workspace = schema._schema.type_map["Workspace"]
    said = {name: permission_of(field) for name, field in workspace.fields.items()}  # type: ignore[attr-defined]
    wanted = {"members": "MEMBER_READ", "invitations": "MEMBER_WRITE", "apiKeys": "KEY_WRITE", "securityLog": "SECURITY_READ"}
    assert {name: said[name] for name in wanted} == wanted
