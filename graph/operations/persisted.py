"""From what was asked to a document's text: as it was sent, or by an id that is known; and who may send which.

Ids are those of the persisted documents' appendix to GraphQL over HTTP, and of Apollo's persisted queries, whose texts
and codes of errors are kept to the letter: its clients compare them.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from hashlib import sha256
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

import structlog

from domain import documents
from domain.caching import Cache
from domain.documents import ClientMode
from domain.ports import Reader

from ..callers import Caller
from ..codes import Code
from .asked import Asked
from .refusals import Rejected

log = structlog.get_logger()

KNOWN_SECONDS = 1.0
"""What was read of a client, or of a document, is good for so long."""

KEPT = 10_000
APQ_SECONDS = 24 * 3600.0
_HASH = re.compile(r"[0-9a-f]{64}")
_CLOSED = (ClientMode.SAFELIST, ClientMode.REGISTERED_ONLY)

T = TypeVar("T")


class Named(NamedTuple):
    """A text; the document that it is, where that is registered; and the hash under which to remember it once it is good."""

    text: str
    registered: documents.DocumentRow | None = None
    remember: str | None = None


class Persisted:
    """One process's knowledge of registered documents, and Apollo's automatic ones, which the cache holds."""

    def __init__(self, reader: Reader, cache: Cache) -> None:
        self._reader = reader
        self._cache = cache
        self._documents = _Known[documents.DocumentRow]()
        self._clients = _Known[documents.ClientRow]()

    @staticmethod
    def is_plain(asked: Asked, caller: Caller) -> bool:
        """Whether a text is all that there is to be known: nobody may not send it, and it is not to be remembered."""
        return asked.document_id is None and caller.actor.client_id is None and "persistedQuery" not in asked.extensions

    async def named(self, asked: Asked, caller: Caller) -> Named:
        """What `is_plain` does not answer. Raises Rejected."""
        mode = await self._mode(caller)
        if asked.document_id is not None:
            return await self._by_id(asked.document_id, caller)
        apollo = asked.extensions.get("persistedQuery")
        if apollo is not None:
            hash = _hash(apollo)
            if asked.query is None:
                return await self._by_hash(hash, caller, mode)
            if sha256(asked.query.encode(errors="surrogatepass")).hexdigest() != hash:
                raise Rejected.of("provided sha does not match query", Code.PERSISTED_QUERY_MISMATCH)
            named = await self._by_text(asked.query, caller, mode)
            kept = caller.actor.is_somebody and mode not in _CLOSED and named.registered is None
            return named._replace(remember=hash) if kept else named
        return await self._by_text(asked.query or "", caller, mode)

    async def remember(self, named: Named, caller: Caller) -> None:
        """Called once the text is known to be good."""
        if named.remember is not None:
            text = named.text.encode()
            await self._cache.put(_automatic(caller, named.remember), text, seconds=APQ_SECONDS)

    async def _mode(self, caller: Caller) -> ClientMode:
        id = caller.actor.client_id
        if id is None:
            return ClientMode.OPEN

        async def read() -> documents.ClientRow | None:
            return (await documents.clients_by_ids(self._reader, caller.actor.reach, [id])).get(id)

        row = await self._clients.get(id, read)
        # A client that is gone takes its keys with it: until that is known, its key opens nothing.
        return row.mode if row is not None else ClientMode.REGISTERED_ONLY

    async def _registered(self, id: str, caller: Caller) -> documents.DocumentRow | None:
        workspace_id = _workspace(caller)
        if workspace_id is None:
            return None
        client_id = caller.actor.client_id

        async def read() -> documents.DocumentRow | None:
            return await documents.resolve(self._reader, workspace_id, client_id, id)

        return await self._documents.get((workspace_id, client_id, id), read)

    async def _by_id(self, id: str, caller: Caller) -> Named:
        row = await self._registered(id, caller)
        if row is None:
            raise _not_in_list()
        return Named(row.text, row)

    async def _by_hash(self, hash: str, caller: Caller, mode: ClientMode) -> Named:
        row = await self._registered(hash, caller)
        if row is not None:
            return Named(row.text, row)
        if mode in _CLOSED:
            raise _not_in_list()
        text = await self._cache.get(_automatic(caller, hash)) if _HASH.fullmatch(hash) else None
        if text is None:
            raise Rejected.of("PersistedQueryNotFound", Code.PERSISTED_QUERY_NOT_FOUND, 200)
        if mode is ClientMode.LOG_UNKNOWN:
            _log_unknown(hash, caller)
        return Named(text.decode())

    async def _by_text(self, text: str, caller: Caller, mode: ClientMode) -> Named:
        if mode is ClientMode.OPEN:
            return Named(text)
        if mode is ClientMode.REGISTERED_ONLY:
            message = "This client sends the id of a registered document as `documentId`, and no text."
            raise Rejected.of(message, Code.PERSISTED_QUERY_ID_REQUIRED)
        hash = sha256(text.encode(errors="surrogatepass")).hexdigest()
        row = await self._registered(f"sha256:{hash}", caller)
        if row is None and mode is ClientMode.SAFELIST:
            raise Rejected.of("This client sends registered documents only, and this is none.", Code.QUERY_NOT_IN_SAFELIST, 403)
        if row is None:
            _log_unknown(hash, caller)
        return Named(text, row)


class _Known(Generic[T]):
    """What was read a moment ago, the last read at the end; that there is nothing is read each time."""

    def __init__(self) -> None:
        self._rows: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    async def get(self, key: Hashable, read: Callable[[], Awaitable[T | None]]) -> T | None:
        now = asyncio.get_running_loop().time()
        known = self._rows.get(key)
        if known is not None and now - known[0] < KNOWN_SECONDS:
            return known[1]
        row = await read()
        self._rows.pop(key, None)
        if row is not None:
            self._rows[key] = now, row
        self._forget(now)
        return row

    def _forget(self, now: float) -> None:
        """What is good no longer is not held: texts are large."""
        while self._rows:
            read_at, _ = next(iter(self._rows.values()))
            if len(self._rows) <= KEPT and now - read_at < KNOWN_SECONDS:
                return
            self._rows.popitem(last=False)


def _hash(apollo: object) -> str:
    if not isinstance(apollo, dict) or apollo.get("version") != 1:
        raise Rejected.of("Unsupported persisted query version", Code.BAD_REQUEST)
    hash = apollo.get("sha256Hash")
    if not isinstance(hash, str) or not 0 < len(hash) <= 256:
        raise Rejected.of("persistedQuery.sha256Hash must be a text of 1 to 256 characters.", Code.BAD_REQUEST)
    return hash


def _log_unknown(hash: str, caller: Caller) -> None:
    client = str(caller.actor.client_id)
    log.info("A client sent a document that is not registered.", client_id=client, document=f"sha256:{hash}")


def _not_in_list() -> Rejected:
    # What was asked for is not repeated: an id may be of any shape, and the answer ends up in logs.
    return Rejected.of("No document of this id is registered for this client.", Code.PERSISTED_QUERY_NOT_IN_LIST, 404)


def _workspace(caller: Caller) -> UUID | None:
    """A key is in one workspace; who is in several names no document by an id."""
    roles = caller.actor.roles
    return next(iter(roles)) if len(roles) == 1 else None


def _automatic(caller: Caller, hash: str) -> str:
    """Each workspace has its own, and whoever is not in just one: what one sends, nobody else can call for.

    Strangers have one together, in which nothing is kept.
    """
    workspace = _workspace(caller)
    return f"apq:{workspace.hex if workspace else caller.actor.name}:{hash}"
