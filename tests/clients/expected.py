"""What every client is answered."""

from __future__ import annotations

from typing import Any

ASKED = "AUDIT_REQUESTED", "AUDIT_STARTED", *("AUDIT_PROGRESSED",) * 4, "AUDIT_FINISHED"
"""What a workspace hears of an audit that is measured once."""

PHASES = "QUEUED", "STARTING", "LOADING", "RESOURCES", "ANALYSING", "RECORDING", "ENDED"

INVALID = {
    "message": "Cannot query field 'nothing' on type 'Query'.",
    "locations": [{"line": 1, "column": 3}],
    "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
}
REPRINTED = {**INVALID, "locations": [{"line": 2, "column": 3}]}
"""The same for a client that writes documents anew, each selection on a line of its own."""

UNSOUND = {
    "message": "Variable '$audit' has invalid value: Expected a value of non-null type 'ID!' to be provided.",
    "locations": [{"line": 1, "column": 20}],
    "extensions": {"code": "BAD_USER_INPUT"},
}
MISSING = {"message": "There is no such audit, or it is not yours.", "extensions": {"code": "NOT_FOUND"}}
NOT_IN_LIST = {
    "message": "No document of this id is registered for this client.",
    "extensions": {"code": "PERSISTED_QUERY_NOT_IN_LIST"},
}
ID_REQUIRED = {
    "message": "This client sends the id of a registered document as `documentId`, and no text.",
    "extensions": {"code": "PERSISTED_QUERY_ID_REQUIRED"},
}


def kinds(events: list[dict[str, Any]], audit: str) -> tuple[str, ...]:
    """What was said of an audit, each once."""
    said = [each for each in events if each["__typename"] == "AuditEvent" and each["audit"]["id"] == audit]
    assert len({each["cursor"] for each in said}) == len(said)
    return tuple(each["kind"] for each in said)


def assert_answered(viewer: Any, payload: Any, progress: list[Any], *, key: str) -> str:
    """All three operations were: who asks, an audit, and how it went. Returns the audit's id."""
    assert viewer == {"data": {"viewer": {"key": {"name": key}}}}
    audit: str = payload["data"]["auditRequest"]["audit"]["id"]
    assert payload == {"data": {"auditRequest": {"audit": {"id": audit, "state": "QUEUED"}}}}
    assert_watched(progress, audit)
    return audit


def assert_watched(results: list[dict[str, Any]], audit: str) -> None:
    """It was followed to its end; who is slow is not told every step before that."""
    assert all(each.keys() == {"data"} for each in results)
    steps = [each["data"]["auditProgress"] for each in results]
    assert {each["audit"]["id"] for each in steps} == {audit}
    phases = [each["phase"] for each in steps]
    assert phases == [phase for phase in PHASES if phase in phases]
    assert steps[-1] == {"phase": "ENDED", "audit": {"id": audit, "state": "FINISHED"}}
