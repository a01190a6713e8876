"""What a client asks for, read strictly; the same parts by every transport.

GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) and its appendix on persisted documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..codes import Code
from .refusals import Rejected

MAX_ID = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation: its text, or the id of a document that is known, or the hash that Apollo's clients send first."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] = field(default_factory=dict)


def asked(said: Any) -> Asked:
    """Raises Rejected for what is no request, with what would be one."""
    if isinstance(said, list):
        raise _bad("Several operations in one request are not taken: send them one by one.")
    if not isinstance(said, dict):
        raise _bad('A request is an object, such as {"query": "{ __typename }"}.')
    query, id, name = said.get("query"), said.get("documentId"), said.get("operationName")
    for part, value in (("operationName", name), ("documentId", id)):
        if not isinstance(value, str | None):
            raise _bad(f"{part} must be a text or null.")
    for part in ("variables", "extensions"):
        if not isinstance(said.get(part), dict | None):
            raise _bad(f"{part} must be an object or null.")
    extensions = said.get("extensions") or {}
    if id and len(id) > MAX_ID:
        raise _bad(f"documentId has at most {MAX_ID} characters.")
    if id and query is not None:
        message = "A document is sent as a text or named by its id, not both."
        raise Rejected.of(message, Code.CANNOT_SEND_PQ_ID_AND_BODY)
    if not id and not (query is None and "persistedQuery" in extensions) and (not isinstance(query, str) or not query.strip()):
        raise _bad("There is no document: send one as `query`, a text, or name one by `documentId`.")
    return Asked(query, id or None, name or None, said.get("variables"), extensions)


def _bad(message: str) -> Rejected:
    return Rejected.of(message, Code.BAD_REQUEST)
