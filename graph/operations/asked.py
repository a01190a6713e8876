"""What a client asks for, read strictly; the same parts by every transport.

GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/) and its appendix on persisted documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..codes import Code
from .refusals import Rejected

MAX_ID = 256
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Asked(NamedTuple):
    """One operation: its text, or the id of a document that is known, or the hash that Apollo's clients send first."""

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] = NOTHING


def asked(said: Any) -> Asked:
    """Raises Rejected for what is no request, with what would be one."""
    if isinstance(said, list):
        raise _bad("Several operations in one request are not taken: send them one by one.")
    if not isinstance(said, dict):
        raise _bad('A request is an object, such as {"query": "{ __typename }"}.')
    query, id, name = said.get("query"), said.get("documentId"), said.get("operationName")
    variables, extensions = said.get("variables"), said.get("extensions")
    if name is not None and not isinstance(name, str):
        raise _bad("operationName must be a text or null.")
    if id is not None and not isinstance(id, str):
        raise _bad("documentId must be a text or null.")
    if variables is not None and not isinstance(variables, dict):
        raise _bad("variables must be an object or null.")
    if extensions is not None and not isinstance(extensions, dict):
        raise _bad("extensions must be an object or null.")
    extensions = extensions or {}
    if id and len(id) > MAX_ID:
        raise _bad(f"documentId has at most {MAX_ID} characters.")
    if id and query is not None:
        message = "A document is sent as a text or named by its id, not both."
        raise Rejected.of(message, Code.CANNOT_SEND_PQ_ID_AND_BODY)
    if not id and not (query is None and "persistedQuery" in extensions) and (not isinstance(query, str) or not query.strip()):
        raise _bad("There is no document: send one as `query`, a text, or name one by `documentId`.")
    return Asked(query, id or None, name or None, variables, extensions)


def _bad(message: str) -> Rejected:
    return Rejected.of(message, Code.BAD_REQUEST)
