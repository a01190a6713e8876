"""The trial: everything is started, asked, broken, healed, and looked at."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import asyncpg

from app import bootstrap
from app import settings as app_settings
from app.wiring import wire
from domain import accounts, sites, workspaces
from domain.access import SYSTEM, Actor, Role
from tests.app.running import PACEMARK, pacemark
from tests.servers import free_port

from . import stream
from .checks import Found, check
from .clients import Caller, Clients, Tenant, tenant
from .ledger import Kind, Ledger
from .monkey import Monkey
from .plan import DISTURBANCES, Plan
from .processes import Fleet, Place, census, leaks
from .processes import Role as Process
from .servers import Servers, started
from .site import Site, site
from .subscribers import Subscriber

COMMAND_SECONDS = 120.0
REST_SECONDS = 0.5
HEARD_SECONDS = 60.0
QUIET_SECONDS = 3.0
MOST_SHOWN = 100

_UNDONE = """select (select count(*) from audits where state in ('QUEUED', 'RUNNING'))
  + (select count(*) from jobs where dead_at is null and kind <> 'snapshots.confirm')
  + (select count(*) from events where sequence is null)
  + (select last - published from history)"""

SCHEDULE = """mutation ($input: ScheduleCreateInput!) { scheduleCreate(input: $input) {
  __typename ... on ScheduleCreatePayload { schedule { id } } ... on Problem { message } } }"""
PAUSE = """mutation ($id: ID!) { schedulePause(input: {schedule: $id}) {
  __typename ... on SchedulePausePayload { schedule { paused } } ... on Problem { message } } }"""
SITE = "query ($audit: ID!) { audit(id: $audit) { page { id site { id } } } }"
STEADY = """mutation ($input: AuditRequestInput!) { auditRequest(input: $input) {
  ... on AuditRequestPayload { audit { id page { id site { id } } } } } }"""


async def trial(plan: Plan) -> bool:
    """Whether nothing was lost and nothing doubled. Prints what happens, and in the end one line with the figures."""
    ledger = Ledger()
    folder = Path(tempfile.mkdtemp(prefix="pacemark-chaos-", dir="/tmp"))
    kept = True
    try:
        with started() as servers, site() as pages:
            try:
                ledger.say(f"seed {plan.seed}: {plan.audits} audits; the logs lie in {folder}")
                line = await _held(plan, ledger, servers, pages, folder)
            finally:
                for name, log in servers.logs().items():
                    shutil.copyfile(log, folder / f"{name}.log")
        kept = plan.keep or bool(ledger.faults)
        _report(ledger, folder, kept=kept)
        print(line, flush=True)
        return not ledger.faults
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


async def _held(plan: Plan, ledger: Ledger, servers: Servers, pages: Site, folder: Path) -> str:
    slugs = list(plan.workspaces)
    keys = await asyncio.to_thread(_prepare, servers, folder, slugs)
    fleet = _fleet(plan, servers, folder, ledger)
    caller = Caller(fleet, ledger, Random(plan.seed + 2))
    subscribers: list[Subscriber] = []
    try:
        await fleet.start()
        before = await census(fleet)
        ledger.say("everything is started")
        tenants = [await tenant(caller, slug, key) for slug, key in zip(slugs, keys, strict=True)]
        async with _listening(plan, fleet, ledger, tenants, subscribers):
            schedule = await _schedule(caller, ledger, tenants[0], pages)
            await _broken(plan, ledger, servers, fleet, Clients(plan, caller, ledger, pages, tenants))
            await _healed(ledger, servers, fleet)
            await caller.ask(tenants[0].key, PAUSE, id=schedule)
            await _at_rest(plan, ledger, servers)
            await _heard(ledger, servers, subscribers)
        await asyncio.sleep(QUIET_SECONDS)
        for leak in leaks(before, await census(fleet)):
            ledger.fault(Kind.WRONG, leak)
        found, held = await _found(servers), await stream.read(servers.nats.url)
        if held.followers > len(fleet.places) + 1:
            ledger.fault(Kind.WRONG, f"{held.followers} consumers read the events of {len(fleet.places)} processes.")
    finally:
        await caller.close()
        await fleet.stop()
    ledger.say(f"failures: {dict(found.failures())}; schedules skipped: {found.said('SCHEDULE_SKIPPED')}")
    _count_files(ledger, folder / "data/files", found)
    for fault in check(ledger, found, subscribers, held.events):
        ledger.fault(*fault)
    return _figures(plan, ledger, found, subscribers)


def _prepare(servers: Servers, folder: Path, slugs: Sequence[str]) -> list[str]:
    """Tables, streams and tenants; their keys."""
    given = servers.settings(folder / "data")
    _pacemark(folder, "migrate", given)
    keys = asyncio.run(_make_tenants(given, slugs[1:]))
    return [_pacemark(folder, "keys create trial --role OWNER --workspace", given, slugs[0]), *keys]


def _pacemark(folder: Path, words: str, given: dict[str, str], *more: str) -> str:
    done = pacemark(folder, *words.split(), *more, program=PACEMARK, patience=COMMAND_SECONDS, **given)
    assert done.returncode == 0, f"pacemark {words}: {done.stderr}"
    return done.stdout.strip()


async def _make_tenants(given: dict[str, str], slugs: Sequence[str]) -> list[str]:
    keys = []
    async with wire(app_settings.load(**given), live=False) as house:
        for slug in slugs:
            async with house.database.work(SYSTEM) as work:
                user = await accounts.register(work, name=slug.title())
                id = await workspaces.create(work, slug=slug, name=slug.title(), owner_id=user)
                work.actor = Actor(roles={id: Role.OWNER}, user_id=user)
                await sites.seed_profiles(work, workspace_id=id)
            keys.append(await bootstrap.issue_key(house, id, name="trial", role=Role.OWNER))
    return keys


def _fleet(plan: Plan, servers: Servers, folder: Path, ledger: Ledger) -> Fleet:
    numbers = {Process.API: plan.serves, Process.WORKER: plan.workers, Process.SCHEDULER: plan.schedulers}
    given = servers.settings(folder / "data")
    return Fleet(
        [
            Place(role, number + 1, folder, given, ledger, free_port())
            for role, most in numbers.items()
            for number in range(most)
        ]
    )


@asynccontextmanager
async def _listening(
    plan: Plan, fleet: Fleet, ledger: Ledger, tenants: Sequence[Tenant], subscribers: list[Subscriber]
) -> AsyncGenerator[None, None]:
    for each in tenants:
        for number in range(plan.subscribers):
            random = Random(plan.seed + 100 + len(subscribers))
            subscribers.append(Subscriber(each, number + 1, fleet, ledger, random))
    tasks = [asyncio.create_task(subscriber.run(), name=subscriber.name) for subscriber in subscribers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for done in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(done, Exception):
                raise done


async def _schedule(caller: Caller, ledger: Ledger, tenant: Tenant, pages: Site) -> str:
    """A schedule that fires every minute, of a page that is audited once to begin with."""
    key = "the first of all"
    wish = {"workspace": tenant.id, "target": {"url": pages.steady}, "profile": tenant.profile, "runs": 1}
    made = (await caller.ask(tenant.key, STEADY, input={**wish, "idempotencyKey": key}))["auditRequest"]["audit"]
    ledger.accept(key, made["id"])
    page = made["page"]
    given = {"site": page["site"]["id"], "page": page["id"], "profile": tenant.profile, "name": "Every minute"}
    given |= {"everyMinutes": 1, "runs": 1, "idempotencyKey": "the schedule"}
    said = (await caller.ask(tenant.key, SCHEDULE, input=given))["scheduleCreate"]
    assert said["__typename"] == "ScheduleCreatePayload", said
    id: str = said["schedule"]["id"]
    return id


async def _broken(plan: Plan, ledger: Ledger, servers: Servers, fleet: Fleet, clients: Clients) -> None:
    """Clients ask while the monkey is at it; what is left of its first round is done when all is asked for."""
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(Monkey(plan, servers, fleet, ledger).run(enough))
        await group.create_task(clients.run())
        ledger.say(f"{len(ledger.accepted)} audits are accepted")
        enough.set()


async def _healed(ledger: Ledger, servers: Servers, fleet: Fleet) -> None:
    await asyncio.to_thread(servers.heal)
    await fleet.heal()
    ledger.say("everything is healed")


async def _at_rest(plan: Plan, ledger: Ledger, servers: Servers) -> None:
    """Wait until nothing waits, runs, or is yet to be sent."""
    connection = await asyncpg.connect(servers.postgres.url())
    undone, calls = -1, -1
    try:
        async with asyncio.timeout(plan.patience):
            while undone or calls:
                undone, calls = await connection.fetchval(_UNDONE), await stream.calls_left(servers.nats.url)
                await asyncio.sleep(REST_SECONDS if undone or calls else 0)
        ledger.say("everything has come to rest")
    except TimeoutError:
        ledger.fault(Kind.WRONG, f"After {plan.patience:g} s {undone} things are undone, and {calls} calls unanswered.")
    finally:
        await connection.close()


async def _heard(ledger: Ledger, servers: Servers, subscribers: Sequence[Subscriber]) -> None:
    """Wait until subscribers have heard the last event of their workspaces."""
    found = await _found(servers)
    last = {row["workspace_id"]: row["sequence"] for row in found.events if row["sequence"] is not None}
    ends = {f"workspace_{id.hex}": sequence for id, sequence in last.items()}
    try:
        async with asyncio.timeout(HEARD_SECONDS):
            await asyncio.gather(*(each.reach(ends.get(each.tenant.id, 0)) for each in subscribers))
    except TimeoutError:
        behind = [each.name for each in subscribers if each.place < ends.get(each.tenant.id, 0)]
        ledger.fault(Kind.LOST, f"After {HEARD_SECONDS:g} s these have not heard everything: {', '.join(behind)}.")


async def _found(servers: Servers) -> Found:
    connection = await asyncpg.connect(servers.postgres.url())
    try:
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        return await Found.read(connection)
    finally:
        await connection.close()


def _count_files(ledger: Ledger, folder: Path, found: Found) -> None:
    """What the database names must be there; what it does not name was left by workers that were killed."""
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    for key in found.files - there:
        ledger.fault(Kind.LOST, f"The file {key} is gone.")
    ledger.notes["files that no row names"] = len(there - found.files)


def _report(ledger: Ledger, folder: Path, *, kept: bool) -> None:
    for name, number in sorted(ledger.notes.items()):
        print(f"  {name}: {number}")
    refused = len(ledger.refusals)
    print(
        f"  refusals while PostgreSQL was away: {refused - len(ledger.unexcused())}, at other times: {len(ledger.unexcused())}"
    )
    if ledger.faults:
        print(f"\n{len(ledger.faults)} faults:")
        for fault in ledger.faults[:MOST_SHOWN]:
            print(f"  {fault.kind}: {fault.text}")
    if kept:
        print(f"The logs lie in {folder}")


def _figures(plan: Plan, ledger: Ledger, found: Found, subscribers: Sequence[Subscriber]) -> str:
    asked = set(ledger.accepted.values())
    states = Counter(state for audit, state in found.state_of().items() if audit in asked)
    faults = Counter(fault.kind for fault in ledger.faults)
    done = " ".join(f"{name} {ledger.done_to[name]}" for name in DISTURBANCES)
    parts = (
        f"requested {len(ledger.accepted)} finished {states['FINISHED']}",
        f"failed {states['FAILED']} cancelled {states['CANCELLED']}",
        f"duplicates {faults[Kind.DOUBLED]} lost {faults[Kind.LOST]} wrong {faults[Kind.WRONG]}",
        f"· firings {found.said('SCHEDULE_FIRED')} scheduled {len(found.audits) - len(asked)} events {len(found.events)}",
        f"resumed {sum(each.resumed for each in subscribers)}",
        f"· kills {done} · seed {plan.seed} · {ledger.elapsed:.0f} s",
    )
    return " ".join(parts)
