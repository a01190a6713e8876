"""Lists: what is in all lists of a level is completed together."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from graphql import GraphQLError, Undefined
from graphql.pyutils import is_iterable
from strawberry.execution import optimized_is_awaitable

from .completing import those_present
from .fields import Completer, Field, Filling
from .places import Items, Places, Some
from .run import Late, Run, Waiting, may_wait, settled, together


class Lists:
    """Lists of whatever `item` completes."""

    def __init__(self, item: Completer, *, items_nullable: bool, nullable: bool) -> None:
        self.item = item
        self.items_nullable = items_nullable
        self._nullable = nullable

    @property
    def columns(self) -> frozenset[str] | None:
        return self.item.columns

    def complete(
        self, run: Run, field: Field, values: Sequence[Any], places: Places, waits: list[Waiting], lates: list[Late]
    ) -> list[Any]:
        items: list[Any] = []
        owners: list[int] = []
        indices: list[int] = []
        spans: list[tuple[int, int, int]] = []
        for owner in those_present(run, field, values, places, nullable=self._nullable):
            value = values[owner]
            if isinstance(value, AsyncIterable):
                lates.append(Late(owner, partial(self._iterated, run, field, value, Some(places, [owner]))))
                continue
            try:
                part = _items(run, value, field)
            except Exception as error:
                run.failed(error, field, places, owner, nullable=self._nullable)
                continue
            if may_wait(part):
                run.hold(part)
                lates.append(Late(owner, partial(self._awaited, run, field, part, Some(places, [owner]))))
                continue
            begin = len(items)
            items += part
            owners += [owner] * len(part)
            indices += range(len(part))
            spans.append((owner, begin, len(items)))
        inner: list[Late] = []
        done: list[Any] = [None] * len(values)
        within = Items(places, owners, indices, nullable=self.items_nullable)
        found = self.item.complete(run, field, items, within, waits, inner) if items else []
        for owner, begin, end in spans:
            done[owner] = found[begin:end]
        waits += [Filling(late.complete, done[owners[late.place]], indices[late.place]) for late in inner]
        return done

    async def _iterated(self, run: Run, field: Field, several: AsyncIterable[Any], places: Places) -> Any:
        iterator: Any = None
        items: list[Any] = []
        try:
            iterator = several.__aiter__()
            async for each in iterator:
                items.append(each)
                if not self.items_nullable and (each is None or each is Undefined or isinstance(each, Exception)):
                    await _closed(iterator)
                    break
        except Exception as error:
            await _closed(iterator)
            run.hold([each for each in items if optimized_is_awaitable(each)])
            run.failed(error, field, places, 0, nullable=self._nullable)
            return None
        return await self._awaited(run, field, items, places)

    async def _awaited(self, run: Run, field: Field, awaited: Sequence[Any], places: Places) -> Any:
        items = await settled(awaited)
        waits: list[Waiting] = []
        inner: list[Late] = []
        within = Items(places, [0] * len(items), range(len(items)), nullable=self.items_nullable)
        done = self.item.complete(run, field, items, within, waits, inner)
        waits += [Filling(late.complete, done, late.place) for late in inner]
        await together(waits)
        return done


async def _closed(iterator: Any) -> None:
    with suppress(Exception):
        await iterator.aclose()  # where it has one


def _items(run: Run, value: Any, field: Field) -> Sequence[Any]:
    if type(value) is list:
        return value
    if not is_iterable(value):
        name = field.nodes[0].name.value
        raise GraphQLError(f"Expected Iterable, but did not find one for field '{field.parent}.{name}'.")
    items: list[Any] = []
    iterator = iter(value)
    try:
        items.extend(iterator)
    except Exception:
        with suppress(Exception):
            items.extend(iterator)  # what it still holds may be begun
        run.hold([each for each in items if optimized_is_awaitable(each)])
        raise
    return items
