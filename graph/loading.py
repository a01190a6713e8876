"""How one operation loads by key: what it has read once it does not read again, whoever asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader

from domain.access import Reach
from domain.audits import Ration
from domain.ports import Reader

from .batches import Asker, Batches

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Columns = tuple[str, ...]
"""Of a row, those that are read."""

Batch = Callable[..., Awaitable[Mapping[K, V]]]
"""Takes the reader, the reach and the keys; what all keys share, where they share something; and `columns`, where it can
read some alone, and `ration`, where how much all of an operation's keys take is limited."""


class Loads:
    """What the loaders of one operation share. They hold this and not one another, so that with them goes what they read:
    what holds itself is left to the collector, which costs more than to read it."""

    def __init__(self, reader: Reader, reach: Reach, batches: Batches, ration: Ration | None = None) -> None:
        self.reader = reader
        self.reach = reach
        self.batches = batches
        self.ration = ration or Ration()
        self.reading: set[asyncio.Task[Any]] = set()
        self.ahead: set[Asker[Any, Any]] = set()
        """Of what was asked for before it is known whether it is needed."""
        self.stopped = False

    def stop(self) -> None:
        """Nobody waits for what is being read."""
        self.stopped = True
        self.need_no_more()
        for task in tuple(self.reading):
            task.cancel()

    def need_no_more(self) -> None:
        """What was asked for ahead, and then by nobody, is not waited for."""
        while self.ahead:
            self.ahead.pop().leave()


class _Reads(Generic[K, V]):
    """How a loader's keys are read, together with those of other operations. Of what was read it knows nothing."""

    def __init__(
        self, name: str, batch: Batch[K, V], loads: Loads, given: Hashable, columns: Columns | None, *, rationed: bool
    ) -> None:
        self._batch = batch
        self._loads = loads
        self._given = () if given is None else (given,)
        self._named: dict[str, Any] = {} if columns is None else {"columns": columns}
        if rationed:
            self._named["ration"] = loads.ration
        self._kind = (name, given, columns, loads.reach, loads if rationed else loads.reader)

    def ask(self, keys: Collection[K]) -> Asker[K, V]:
        return self._loads.batches.ask(self._kind, keys, self._all)

    def ask_ahead(self, keys: Collection[K]) -> Asker[K, V]:
        asker = self.ask(keys)
        self._loads.ahead.add(asker)
        return asker

    def taken(self, asker: Asker[K, V]) -> None:
        self._loads.ahead.discard(asker)

    async def get_stopped(self, keys: list[K]) -> list[Any]:
        """The same for aiodataloader: a task of its own, which is stopped when nobody waits for it."""
        task = asyncio.current_task()
        assert task is not None
        if self._loads.stopped:  # it was asked for in the very moment in which everybody left
            raise asyncio.CancelledError
        self._loads.reading.add(task)
        try:
            found = await self.ask(keys).answer()
        finally:
            self._loads.reading.discard(task)
        return [found.get(key) for key in keys]

    async def _all(self, keys: Collection[K]) -> Mapping[K, V]:
        return await self._batch(self._loads.reader, self._loads.reach, keys, *self._given, **self._named)


class Loader(Generic[K, V]):
    """`load` is for resolvers: aiodataloader puts together what they ask for. Plans call `look` with all keys of a level.

    `given` is what all its keys share; `rationed`: they go with those of no other operation.
    """

    def __init__(
        self,
        name: str,
        batch: Batch[K, V],
        loads: Loads,
        given: Hashable = None,
        columns: Columns | None = None,
        *,
        rationed: bool = False,
    ) -> None:
        self._reads = _Reads(name, batch, loads, given, columns, rationed=rationed)
        self._known = _Known()
        self._waiting: DataLoader[K, Any] | None = None
        self._ahead: Asker[K, V] | None = None

    def load(self, key: K) -> asyncio.Future[Any]:
        """The value; None where there is none. Raises what it is, where it is an exception."""
        if self._waiting is None:
            self._waiting = DataLoader(self._reads.get_stopped, cache_map=self._known)
        return self._waiting.load(key)

    async def load_many(self, keys: Sequence[K]) -> list[Any]:
        return list(await asyncio.gather(*map(self.load, keys)))

    def look(self, keys: Sequence[K | Exception | None]) -> list[Any] | Awaitable[list[Any]]:
        """A value for each key, at once where all are known: exceptions among them. None's is None, an exception's itself."""
        known = self._known
        if not known:
            return self._look(keys)
        found = [known.at(key) for key in keys]
        if any(each is _UNKNOWN or each.__class__ in _COMING for each in found):
            return self._look(keys)
        return found

    def look_ahead(self, keys: Sequence[K | Exception | None]) -> None:
        """Begin to read what will be looked for, if it is for anything."""
        asked = [
            key for key in dict.fromkeys(keys) if key not in self._known and key is not None and not isinstance(key, Exception)
        ]
        if asked and self._ahead is None:
            self._ahead = self._reads.ask_ahead(asked)

    async def _look(self, keys: Sequence[K | Exception | None]) -> list[Any]:
        known = self._known
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            self._reads.taken(ahead)
            await self._find(ahead.keys, ahead)
        unknown: list[K] = []
        for key in dict.fromkeys(keys):
            if key is None or isinstance(key, Exception):
                known[key] = key
            elif key not in known:
                unknown.append(key)
        if unknown:
            await self._find(unknown)
        found = list(map(known.__getitem__, keys))
        if not _COMING.isdisjoint(map(type, found)):
            found = [
                await known.value(key) if each.__class__ in _COMING else each for key, each in zip(keys, found, strict=True)
            ]
        return found

    async def _find(self, keys: Collection[K], asker: Asker[K, V] | None = None) -> None:
        known, reading = self._known, _Reading()
        known.update(dict.fromkeys(keys, reading))
        found: Mapping[K, Any] = {}
        try:
            found = await (asker or self._reads.ask(keys)).answer()
        except Exception as error:
            found = dict.fromkeys(keys, error)
        finally:
            known.update(zip(keys, map(found.get, keys), strict=True))
            for key, coming in reading.asked:
                _settle(coming, found.get(key))


_UNKNOWN: Any = object()


class _Reading:
    """Stands for values that a plan is reading, with who else asked for them."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked: list[tuple[Any, asyncio.Future[Any]]] = []


_COMING = frozenset({asyncio.Future, _Reading})


class _Known(dict[Any, Any]):
    """Values by key, and what stands for those that are being read; aiodataloader gets futures alone."""

    def at(self, key: Any) -> Any:
        return dict.get(self, key, _UNKNOWN)

    async def value(self, key: Any) -> Any:
        """An exception where that is what it is."""
        try:
            return await self.get(key)
        except Exception as error:
            return error

    def get(self, key: Any, default: Any = None) -> Any:
        found = self.at(key)
        if found is _UNKNOWN or found.__class__ is asyncio.Future:
            return default if found is _UNKNOWN else found
        coming: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if found.__class__ is _Reading:
            found.asked.append((key, coming))
        else:
            _settle(coming, found)
        return coming


def _settle(coming: asyncio.Future[Any], found: Any) -> None:
    if coming.done():
        return
    if isinstance(found, Exception):
        coming.set_exception(found)
    else:
        coming.set_result(found)


class Loading:
    """A loader by its name; an operation's is made when it is first asked for: most need two or three of them.

    `narrow`: its batch takes `columns`, of which its rows then are. `by_id`: its keys are the ids of the rows that it gives.
    `rationed`: its batch takes the `ration` of the operation, so that it is asked for those of one alone.
    """

    def __init__(self, batch: Batch[Any, Any], *, narrow: bool = False, by_id: bool = False, rationed: bool = False) -> None:
        self.batch = batch
        self.narrow = narrow
        self.by_id = by_id
        self.rationed = rationed
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, loaders: Any, owner: type) -> Any:
        if loaders is None:
            return self
        made = loaders.__dict__[self.name] = self.made(loaders.loads)  # found there before this descriptor from now on
        return made

    def made(self, loads: Loads, given: Hashable = None, columns: Columns | None = None) -> Loader[Any, Any]:
        return Loader(self.name, self.batch, loads, given, columns, rationed=self.rationed)
