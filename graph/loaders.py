"""One line a loader: which batch read answers for which key. They live as long as one operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain import audits, files, keys, runners, sites, workspaces
from domain.access import Reach
from domain.errors import InvalidInput
from domain.paging import Keyset, Slice, Window
from domain.ports import Reader

K = TypeVar("K")
V = TypeVar("V")

Batch = Callable[[Reader, Reach, Collection[K]], Awaitable[Mapping[K, V]]]


class PageKey(NamedTuple):
    """One parent's page of a list, with what else the list takes (as sorted items, to be hashable)."""

    parent: UUID
    window: Window
    given: tuple[tuple[str, Any], ...] = ()


class _Loader(Generic[K, V]):
    """Made when it is first asked for: most operations need two or three of them."""

    def __init__(self, batch: Batch[K, V]) -> None:
        self._batch = batch
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, loaders: Loaders, owner: type) -> DataLoader[K, Any]:
        async def load(wanted: list[K]) -> list[V | None]:
            found = await self._batch(loaders.reader, loaders.reach, wanted)
            return [found.get(key) for key in wanted]

        made: DataLoader[K, Any] = DataLoader(load)
        loaders.__dict__[self._name] = made  # found there before this descriptor from now on
        return made


def _pages(keyset: Keyset[Any]) -> Batch[PageKey, Slice[Any] | InvalidInput]:
    """Parents that ask for the same page of the list share a statement."""

    async def batch(reader: Reader, reach: Reach, wanted: Collection[PageKey]) -> Mapping[PageKey, Slice[Any] | InvalidInput]:
        groups: dict[tuple[Window, tuple[tuple[str, Any], ...]], list[UUID]] = {}
        for key in wanted:
            groups.setdefault((key.window, key.given), []).append(key.parent)
        found: dict[PageKey, Slice[Any] | InvalidInput] = {}
        for (window, given), parents in groups.items():
            values = {name: list(value) if isinstance(value, tuple) else value for name, value in given}
            slices = await keyset.under(reader, reach, parents, window, **values)
            found.update({PageKey(parent, window, given): slice for parent, slice in slices.items()})
        return found

    return batch


async def _runners(reader: Reader, _reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, runners.RunnerRow]:
    return await runners.by_ids(reader, ids)


async def _all_runners(
    reader: Reader, _reach: Reach, workspaces: Collection[UUID]
) -> Mapping[UUID, Sequence[runners.RunnerRow]]:
    return dict.fromkeys(workspaces, await runners.all_seen(reader))


class Loaders:
    workspace = _Loader(workspaces.by_ids)
    workspace_by_slug = _Loader(workspaces.by_slugs)
    key = _Loader(keys.by_ids)
    runner = _Loader(_runners)
    runners_of_workspace = _Loader(_all_runners)
    site = _Loader(sites.by_ids)
    site_by_slug = _Loader(sites.by_slugs)
    access_of_site = _Loader(sites.sealed_access)
    page = _Loader(sites.pages_by_ids)
    page_by_path = _Loader(sites.page_by_paths)
    profile = _Loader(sites.profiles_by_ids)
    profiles_of_site = _Loader(sites.profiles_by_site)
    profiles_of_workspace = _Loader(sites.profiles_by_workspace)
    audit = _Loader(audits.by_ids)
    latest_audit = _Loader(audits.latest)
    runs_of_audit = _Loader(audits.runs_by_audits)
    finding = _Loader(audits.findings_by_ids)
    files_of_audit = _Loader(files.by_audits)
    file = _Loader(files.by_ids)
    series = _Loader(audits.histories)

    sites_of_workspace = _Loader(_pages(sites.SITES))
    pages_of_workspace = _Loader(_pages(sites.WORKSPACE_PAGES))
    newest_pages_of_workspace = _Loader(_pages(sites.PAGES_BY_AGE))
    pages_of_site = _Loader(_pages(sites.PAGES))
    audits_of_page = _Loader(_pages(audits.AUDITS))
    findings_of_audit = _Loader(_pages(audits.FINDINGS))
    requests_of_run = _Loader(_pages(audits.REQUESTS))

    def __init__(self, reader: Reader, reach: Reach) -> None:
        self.reader = reader
        self.reach = reach
