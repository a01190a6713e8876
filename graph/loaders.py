"""One line a loader: which batch read answers for which key. They live as long as one operation."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from domain import (
    alerts,
    audits,
    budgets,
    documents,
    files,
    following,
    history,
    jobs,
    keys,
    marks,
    notifications,
    runners,
    schedules,
    security,
    sites,
    snapshots,
    timelines,
    verdicts,
    workspaces,
)
from domain.access import Reach
from domain.errors import InvalidInput
from domain.paging import Keyset, Slice, Window
from domain.ports import Reader

from .batches import Batches
from .loading import Batch, Columns, Loader, Loading, Loads


class PageOf(NamedTuple):
    """Which page of its parents' lists is asked for, with what else the lists take: values by name, in their names' order."""

    window: Window
    values: tuple[tuple[str, Any], ...] = ()


def _pages(keyset: Keyset[Any]) -> Batch[UUID, Slice[Any] | InvalidInput]:
    async def batch(
        reader: Reader, reach: Reach, parents: Collection[UUID], page: PageOf, columns: Columns | None = None
    ) -> Mapping[UUID, Slice[Any] | InvalidInput]:
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in page.values}
        return await keyset.under(reader, reach, parents, page.window, columns, **values)

    return batch


async def _workspace_pages(
    reader: Reader, reach: Reach, parents: Collection[UUID], page: PageOf, columns: Columns | None = None
) -> Mapping[UUID, Slice[Any] | InvalidInput]:
    """In which order they come is among the values."""
    values = dict(page.values)
    by, metric = values.pop("order")
    keyset: Keyset[Any] = sites.PAGES_BY_AGE if by is audits.PageOrderBy.NEWEST else sites.WORKSPACE_PAGES
    if metric is not None:
        keyset = audits.ranked(by, metric)
    return await _pages(keyset)(reader, reach, parents, PageOf(page.window, tuple(values.items())), columns)


def _stated(keysets: Mapping[bool, Keyset[Any]], name: str = "state") -> Batch[UUID, Slice[Any] | InvalidInput]:
    """Pages of a list that is another one where a state, or what has this name, is asked for."""
    lists = {stated: _pages(keyset) for stated, keyset in keysets.items()}

    async def batch(
        reader: Reader, reach: Reach, parents: Collection[UUID], page: PageOf, columns: Columns | None = None
    ) -> Mapping[UUID, Slice[Any] | InvalidInput]:
        return await lists[name in dict(page.values)](reader, reach, parents, page, columns)

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
    reader: Reader, reach: Reach, workspaces: Collection[UUID], page: PageOf
) -> Mapping[UUID, Slice[following.Happened] | InvalidInput]:
    """Each event with its cursor. The history's own name is in the cursors, so that it is read first."""
    state = await history.state(reader)
    found: dict[UUID, Slice[following.Happened] | InvalidInput] = {}
    asked: list[UUID] = []
    for workspace_id in workspaces:
        try:
            following.require_place(state, page.window.cursor, workspace_id)
            asked.append(workspace_id)
        except InvalidInput as refused:
            found[workspace_id] = refused
    if asked:
        read = _pages(history.events(state.id, of_kinds=bool(page.values)))
        for workspace_id, slice in (await read(reader, reach, asked, page)).items():
            assert isinstance(slice, Slice)  # the cursors are good
            events = [following.Happened(slice.cursor(row), row) for row in slice.rows]
            found[workspace_id] = Slice(events, lambda event: event.cursor, slice.has_next, slice.has_previous)
    return found


class Loaders:
    workspace = Loading(workspaces.by_ids, by_id=True)
    workspace_by_slug = Loading(workspaces.by_slugs)
    member = Loading(workspaces.members_by_ids)
    sites_of_member = Loading(workspaces.sites_of_members)
    invitation = Loading(workspaces.invitations_by_ids, by_id=True)
    key = Loading(keys.by_ids, by_id=True)
    client = Loading(documents.clients_by_ids, by_id=True)
    document = Loading(documents.by_ids, by_id=True)
    aliases_of_document = Loading(documents.aliases_by_documents)
    usage_of_document = Loading(documents.usage_by_documents)
    runner = Loading(_runners)
    runners_of_workspace = Loading(_all_runners)
    site = Loading(sites.by_ids, by_id=True)
    site_by_slug = Loading(sites.by_slugs)
    access_of_site = Loading(sites.sealed_access)
    page = Loading(sites.pages_by_ids, by_id=True)
    page_by_path = Loading(sites.page_by_paths)
    profile = Loading(sites.profiles_by_ids, by_id=True)
    profiles_of_site = Loading(sites.profiles_by_site)
    profiles_of_workspace = Loading(sites.profiles_by_workspace)
    audit = Loading(audits.by_ids, by_id=True)
    audit_at_end = Loading(audits.at_ends)
    conditions = Loading(audits.conditions_by_ids)
    latest_audit = Loading(audits.latest, narrow=True)
    change_of_page = Loading(audits.changes)
    runs_of_audit = Loading(audits.runs_by_audits)
    finding = Loading(audits.findings_by_ids, by_id=True)
    pair = Loading(audits.pairs)
    finding_differences = Loading(audits.finding_differences)
    request_differences = Loading(audits.request_differences)
    files_of_audit = Loading(files.by_audits)
    file = Loading(files.by_ids, by_id=True)
    series = Loading(audits.histories, rationed=True)
    comparison = Loading(audits.comparisons, rationed=True)
    schedule = Loading(schedules.by_ids, by_id=True)
    snapshot = Loading(snapshots.by_ids, by_id=True)
    progress_of_snapshot = Loading(snapshots.progress_by_ids)
    confirmations_of_snapshot = Loading(snapshots.confirmations_by_ids)
    judgements_of_snapshot = Loading(verdicts.counts_by_snapshots)
    audits_of_snapshot_page = Loading(snapshots.audits_by_pages)
    verdict = Loading(verdicts.by_ids, by_id=True)
    comparison_of_snapshots = Loading(verdicts.comparisons)
    alert = Loading(alerts.by_ids, by_id=True)
    channel = Loading(notifications.channels_by_ids, by_id=True)
    channels_of_workspace = Loading(notifications.channels_by_workspaces)
    route = Loading(notifications.routes_by_ids, by_id=True)
    routes_of_channel = Loading(notifications.routes_by_channels)
    delivery = Loading(notifications.deliveries_by_ids, by_id=True)
    attempts_of_delivery = Loading(notifications.attempts_by_deliveries)
    budget = Loading(budgets.by_ids, by_id=True)
    ratchet_of_budget = Loading(budgets.ratchets)
    breach = Loading(budgets.breaches_by_ids, by_id=True)
    budget_results_of_audit = Loading(budgets.results)
    deploy = Loading(marks.deploys_by_ids, by_id=True)
    annotation = Loading(marks.annotations_by_ids, by_id=True)
    dead_job = Loading(jobs.dead_by_ids, by_id=True)
    history = Loading(_history)

    members_of_workspace = Loading(_pages(workspaces.MEMBERS), narrow=True)
    invitations_of_workspace = Loading(_pages(workspaces.INVITATIONS), narrow=True)
    keys_of_workspace = Loading(_pages(keys.KEYS), narrow=True)
    clients_of_workspace = Loading(_pages(documents.CLIENTS), narrow=True)
    documents_of_workspace = Loading(_pages(documents.DOCUMENTS), narrow=True)
    documents_of_client = Loading(_pages(documents.OF_CLIENT), narrow=True)
    sites_of_workspace = Loading(_pages(sites.SITES), narrow=True)
    pages_of_workspace = Loading(_workspace_pages, narrow=True)
    pages_of_site = Loading(_pages(sites.PAGES), narrow=True)
    audits_of_page = Loading(_pages(audits.AUDITS), narrow=True)
    findings_of_audit = Loading(_pages(audits.FINDINGS), narrow=True)
    requests_of_run = Loading(_pages(audits.REQUESTS), narrow=True)
    snapshots_of_workspace = Loading(_pages(snapshots.SNAPSHOTS), narrow=True)
    snapshots_of_site = Loading(_pages(snapshots.OF_SITE), narrow=True)
    audits_of_snapshot = Loading(_pages(snapshots.AUDITS), narrow=True)
    verdicts_of_snapshot = Loading(_pages(verdicts.OF_SNAPSHOT), narrow=True)
    verdicts_of_page = Loading(_stated(verdicts.OF_PAGE, "judgement"), narrow=True)
    verdicts_of_site = Loading(_stated(verdicts.OF_SITE, "judgement"), narrow=True)
    verdicts_of_workspace = Loading(_stated(verdicts.OF_WORKSPACE, "judgement"), narrow=True)
    pages_of_snapshot = Loading(_pages(snapshots.PAGES))
    deploys_of_site = Loading(_pages(marks.DEPLOYS), narrow=True)
    annotations_of_site = Loading(_pages(marks.ANNOTATIONS), narrow=True)
    marks_of_page = Loading(_pages(timelines.MARKS))
    schedules_of_workspace = Loading(_pages(schedules.SCHEDULES), narrow=True)
    schedules_of_site = Loading(_pages(schedules.OF_SITE), narrow=True)
    schedules_of_page = Loading(_pages(schedules.OF_PAGE), narrow=True)
    alerts_of_workspace = Loading(_stated(alerts.ALERTS), narrow=True)
    alerts_of_site = Loading(_stated(alerts.OF_SITE), narrow=True)
    alerts_of_page = Loading(_stated(alerts.OF_PAGE), narrow=True)
    deliveries_of_channel = Loading(_pages(notifications.DELIVERIES), narrow=True)
    budgets_of_workspace = Loading(_pages(budgets.BUDGETS), narrow=True)
    budgets_of_site = Loading(_pages(budgets.OF_SITE), narrow=True)
    breaches_of_workspace = Loading(_pages(budgets.BREACHES), narrow=True)
    breaches_of_page = Loading(_pages(budgets.BREACHES_OF_PAGE), narrow=True)
    dead_jobs_of_workspace = Loading(_pages(jobs.DEAD), narrow=True)
    security_log_of_workspace = Loading(_pages(security.LOG), narrow=True)
    security_log_of_person = Loading(_pages(security.OF_PERSON), narrow=True)
    events_of_workspace = Loading(_events)

    def __init__(self, reader: Reader, reach: Reach, batches: Batches, ration: audits.Ration | None = None) -> None:
        self.loads = Loads(reader, reach, batches, ration)
        self._made: dict[tuple[Loading, Hashable, Columns | None], Loader[Any, Any]] = {}

    def of(self, loading: Loading, given: Hashable = None, columns: Columns | None = None) -> Loader[Any, Any]:
        """The loader for keys that share what is given; where columns are named, that of rows with these alone."""
        if not loading.narrow:
            columns = None
        if given is None and columns is None:
            made: Loader[Any, Any] = getattr(self, loading.name)
            return made
        known = self._made.get((loading, given, columns))
        if known is None:
            known = self._made[loading, given, columns] = loading.made(self.loads, given, columns)
        return known

    def stop(self) -> None:
        """Nobody waits for what is being read."""
        self.loads.stop()
