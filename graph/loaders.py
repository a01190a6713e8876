"""One line a loader: which batch read answers for which key. They live as long as one operation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from aiodataloader import DataLoader

from domain import audits, documents, files, following, history, jobs, keys, runners, schedules, security, sites, workspaces
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
            task = asyncio.current_task()
            assert task is not None
            if loaders.stopped:  # it was asked for in the very moment in which everybody left
                raise asyncio.CancelledError
            loaders.reading.add(task)
            try:
                found = await self._batch(loaders.reader, loaders.reach, wanted)
            finally:
                loaders.reading.discard(task)
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


HISTORY = "history"
"""The key of the one history there is."""


async def _history(reader: Reader, _reach: Reach, wanted: Collection[str]) -> Mapping[str, history.HistoryRow]:
    return dict.fromkeys(wanted, await history.state(reader))


async def _events(
    reader: Reader, reach: Reach, wanted: Collection[PageKey]
) -> Mapping[PageKey, Slice[following.Happened] | InvalidInput]:
    """Each event with its cursor. The history's own name is in the cursors, so that it is read first."""
    state = await history.state(reader)
    found: dict[PageKey, Slice[following.Happened] | InvalidInput] = {}
    asked: dict[bool, list[PageKey]] = {}
    for key in wanted:
        try:
            following.require_place(state, key.window.cursor, key.parent)
            asked.setdefault(bool(key.given), []).append(key)
        except InvalidInput as refused:
            found[key] = refused
    for of_kinds, group in asked.items():
        for key, slice in (await _pages(history.events(state.id, of_kinds=of_kinds))(reader, reach, group)).items():
            assert isinstance(slice, Slice)  # the cursors are good
            events = [following.Happened(*pair) for pair in zip(slice.cursors, slice.rows, strict=True)]
            found[key] = replace(slice, rows=events)
    return found


class Loaders:
    workspace = _Loader(workspaces.by_ids)
    workspace_by_slug = _Loader(workspaces.by_slugs)
    member = _Loader(workspaces.members_by_ids)
    sites_of_member = _Loader(workspaces.sites_of_members)
    invitation = _Loader(workspaces.invitations_by_ids)
    key = _Loader(keys.by_ids)
    client = _Loader(documents.clients_by_ids)
    document = _Loader(documents.by_ids)
    aliases_of_document = _Loader(documents.aliases_by_documents)
    usage_of_document = _Loader(documents.usage_by_documents)
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
    schedule = _Loader(schedules.by_ids)
    dead_job = _Loader(jobs.dead_by_ids)
    history = _Loader(_history)

    members_of_workspace = _Loader(_pages(workspaces.MEMBERS))
    invitations_of_workspace = _Loader(_pages(workspaces.INVITATIONS))
    keys_of_workspace = _Loader(_pages(keys.KEYS))
    clients_of_workspace = _Loader(_pages(documents.CLIENTS))
    documents_of_workspace = _Loader(_pages(documents.DOCUMENTS))
    documents_of_client = _Loader(_pages(documents.OF_CLIENT))
    sites_of_workspace = _Loader(_pages(sites.SITES))
    pages_of_workspace = _Loader(_pages(sites.WORKSPACE_PAGES))
    newest_pages_of_workspace = _Loader(_pages(sites.PAGES_BY_AGE))
    pages_of_site = _Loader(_pages(sites.PAGES))
    audits_of_page = _Loader(_pages(audits.AUDITS))
    findings_of_audit = _Loader(_pages(audits.FINDINGS))
    requests_of_run = _Loader(_pages(audits.REQUESTS))
    schedules_of_workspace = _Loader(_pages(schedules.SCHEDULES))
    schedules_of_site = _Loader(_pages(schedules.OF_SITE))
    schedules_of_page = _Loader(_pages(schedules.OF_PAGE))
    dead_jobs_of_workspace = _Loader(_pages(jobs.DEAD))
    security_log_of_workspace = _Loader(_pages(security.LOG))
    security_log_of_person = _Loader(_pages(security.OF_PERSON))
    events_of_workspace = _Loader(_events)

    def __init__(self, reader: Reader, reach: Reach) -> None:
        self.reader = reader
        self.reach = reach
        self.reading: set[asyncio.Task[Any]] = set()
        self.stopped = False

    def stop(self) -> None:
        """Nobody waits for what is being read."""
        self.stopped = True
        for task in tuple(self.reading):
            task.cancel()
