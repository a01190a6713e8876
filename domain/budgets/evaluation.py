"""Audits held against the budgets that are for them: a handful of statements, however many audits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import or_

from .. import audits, sites
from ..access import Reach
from ..audits import AuditRow, AuditState
from ..base import one_of, query
from ..ports import Reader
from . import deciding, rules, spells, subjects
from .deciding import Outcome, Sample
from .model import Budget
from .rows import BudgetRow
from .words import LimitKind, SubjectKind

_FOR = query(BudgetRow, Budget).where(
    one_of(Budget.workspace_id, "workspaces"), or_(Budget.site_id.is_(None), one_of(Budget.site_id, "sites"))
)


class Held(NamedTuple):
    """A finished audit and the budgets that are for it, with what was measured: in it, and in those before it."""

    audit: AuditRow
    budgets: Sequence[BudgetRow]
    sample: Sample
    before: Sequence[Sample]


class Prepared(NamedTuple):
    """All that judging some audits takes. `budgets`: those that might have been for them, as they were."""

    held: Sequence[Held]
    budgets: Sequence[BudgetRow]


class _Matched(NamedTuple):
    audit: AuditRow
    budgets: Sequence[BudgetRow]


async def prepare(reader: Reader, reach: Reach, rows: Collection[AuditRow]) -> Prepared:
    """Read and match what judging these audits takes; those that are not finished are left out."""
    finished = [row for row in rows if row.state is AuditState.FINISHED]
    budgets = await there(reader, reach, finished)
    matched = await _matched(reader, reach, budgets, finished)
    related = [each.audit.id for each in matched if any(_is_relative(it) for it in each.budgets)]
    before = await audits.before(reader, reach, related, deciding.BASELINE) if related else {}
    all = {each.audit.id: each.audit for each in matched}
    if earlier := {id for ids in before.values() for id in ids} - set(all):
        all |= await audits.by_ids(reader, reach, earlier)
    samples = await _samples(reader, reach, all, [budget for each in matched for budget in each.budgets])
    held = [
        Held(*each, samples[each.audit.id], [samples[id] for id in before.get(each.audit.id, ()) if id in samples])
        for each in matched
    ]
    return Prepared(held, budgets)


async def there(reader: Reader, reach: Reach, rows: Collection[AuditRow]) -> Sequence[BudgetRow]:
    """The budgets of these audits' workspaces and sites, by name."""
    if not rows:
        return ()
    workspaces = {row.workspace_id for row in rows} & set(reach.workspaces)
    found = await reader.all(_FOR, workspaces=workspaces, sites={row.site_id for row in rows})
    return sorted(found, key=lambda each: (each.name, each.id))


async def evaluate(reader: Reader, reach: Reach, rows: Collection[AuditRow]) -> Mapping[UUID, Sequence[Outcome]]:
    """What came of each finished audit and each budget that is for it, in the order of the budgets' names."""
    held = (await prepare(reader, reach, rows)).held
    related = [(budget, each.audit) for each in held for budget in each.budgets if _is_relative(budget)]
    known = await spells.read(reader, reach, related)
    return {
        each.audit.id: [
            deciding.decide(budget, each.sample, each.before, known.stood(budget.id, each.audit)) for budget in each.budgets
        ]
        for each in held
    }


def _is_relative(budget: BudgetRow) -> bool:
    return budget.limit_kind is LimitKind.RELATIVE


async def results(reader: Reader, reach: Reach, ids: Collection[UUID]) -> Mapping[UUID, Sequence[Outcome]]:
    """The same by the audits' ids; nothing for those that are not finished."""
    rows = await audits.by_ids(reader, reach, ids)
    found = await evaluate(reader, reach, rows.values())
    return {id: found.get(id, ()) for id in ids}


async def _matched(reader: Reader, reach: Reach, budgets: Sequence[BudgetRow], rows: Sequence[AuditRow]) -> list[_Matched]:
    if not budgets:
        return []
    pages = await sites.pages_by_ids(reader, reach, {row.page_id for row in rows})
    paths = {id: page.path for id, page in pages.items()}
    # Regular expressions from outside take their time: nobody else is to wait for them.
    if any(each.url_pattern is not None for each in budgets):
        return await asyncio.to_thread(_match, budgets, paths, rows)
    return _match(budgets, paths, rows)


def _match(budgets: Sequence[BudgetRow], paths: Mapping[UUID, str], rows: Sequence[AuditRow]) -> list[_Matched]:
    found = []
    known: dict[tuple[UUID, rules.Place], list[BudgetRow]] = {}
    for row in rows:
        if row.page_id in paths:
            url = row.final_url or row.requested_url
            place = rules.Place(row.site_id, paths[row.page_id], url, row.profile_id, row.environment)
            key = row.workspace_id, place
            if key not in known:
                known[key] = rules.matching([each for each in budgets if each.workspace_id == row.workspace_id], place)
            if known[key]:
                found.append(_Matched(row, known[key]))
    return found


async def _samples(
    reader: Reader, reach: Reach, rows: Mapping[UUID, AuditRow], budgets: Sequence[BudgetRow]
) -> Mapping[UUID, Sample]:
    """What is needed of the audits to hold them against these budgets."""
    if not rows:
        return {}
    runs = await audits.runs_by_audits(reader, reach, rows)
    wanted = {each.subject for each in budgets if each.subject_kind is SubjectKind.FINDING}
    findings = await audits.evidence(reader, reach, rows, wanted) if wanted else {}
    counted = any(each.subject_kind is SubjectKind.RESOURCE_COUNT and subjects.metric_of(each) is None for each in budgets)
    counts = await audits.counts(reader, reach, rows) if counted else {}
    return {
        id: Sample(
            row,
            runs.get(id, ()),
            findings.get(id, {}),
            {
                run: {resource: number.get(type, 0) for resource, type in subjects.TYPES.items()}
                for run, number in counts.get(id, {}).items()
            },
        )
        for id, row in rows.items()
    }
