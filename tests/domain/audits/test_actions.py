"""Asking for audits and stopping them."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import audits, sites
from domain.access import NOBODY, Actor, Permission, Role
from domain.audits import rules
from domain.errors import Conflict, InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode
from domain.ids import new_id
from domain.paging import Window
from infra.db.database import SqlDatabase
from tests.domain.audits.benches import Tenant, taker, tenant
from tests.domain.audits.engines import ToldEngine

URL = "http://127.0.0.1:1/"


@pytest.fixture
async def acme(database: SqlDatabase) -> Tenant:
    return await tenant(database)


async def ask(database: SqlDatabase, actor: Actor, **given: object) -> object:
    async with database.work(actor) as work:
        return await audits.request(work, **given)  # type: ignore[arg-type]


async def test_an_address_is_audited_under_its_sites_default_profile(acme: Tenant) -> None:
    (id,) = await acme.request("http://Example.test:80/a?b#c")
    audit = await acme.read(id)
    assert (audit.state, audit.phase, audit.requested_url) == ("QUEUED", "QUEUED", "http://example.test/a?b")
    assert (audit.engine, audit.form_factor, audit.runs, audit.environment) == ("PROBE", "DESKTOP", 5, "production")
    assert (audit.workspace_id, audit.profile_version, audit.started_at) == (acme.id, 1, None)


async def test_the_same_address_is_the_same_page(acme: Tenant) -> None:
    one, two = await acme.request("http://h/%C3%A9", "http://H:80/é#x")
    assert (await acme.read(one)).page_id == (await acme.read(two)).page_id


async def test_the_only_workspace_need_not_be_said(acme: Tenant) -> None:
    promised = await ask(acme.database, acme.actor, url=URL)
    assert isinstance(promised, tuple)
    assert not promised[1]


async def test_one_of_several_workspaces_has_to_be_said(database: SqlDatabase, acme: Tenant) -> None:
    other = await tenant(database, "other")
    both = Actor(roles={acme.id: Role.OWNER, other.id: Role.OWNER})
    with pytest.raises(InvalidInput) as refused:
        await ask(database, both, url=URL)
    assert [fault.path for fault in refused.value.faults] == [("workspace",)]
    (id,) = await other.request()
    page = (await other.read(id)).page_id
    await ask(database, both, page_id=page)


async def test_nobody_and_viewers_may_not_ask(acme: Tenant) -> None:
    with pytest.raises(NotAllowed) as refused:
        await ask(acme.database, NOBODY, url=URL)
    assert refused.value.code is ProblemCode.NOT_SIGNED_IN
    with pytest.raises(NotAllowed) as refused:
        await ask(acme.database, Actor(roles={acme.id: Role.VIEWER}), url=URL)
    assert refused.value.permission == Permission.AUDIT_REQUEST


async def test_pages_and_profiles_of_another_tenant_are_not_there(database: SqlDatabase, acme: Tenant) -> None:
    other = await tenant(database, "other")
    (id,) = await other.request()
    theirs = await other.read(id)
    for given in (
        {"page_id": theirs.page_id},
        {"workspace_id": acme.id, "page_id": theirs.page_id},
        {"url": URL, "profile_id": theirs.profile_id},
        {"workspace_id": other.id, "url": URL},
    ):
        with pytest.raises(NotFound):
            await ask(database, acme.actor, **given)


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ({"environment": "Prod"}, [("environment",)]),
        ({"environment": "x" * 41}, [("environment",)]),
        ({"environment": "a\n"}, [("environment",)]),
        ({"runs": 0}, [("runs",)]),
        ({"runs": 21}, [("runs",)]),
        ({"runs": 2**40, "environment": "-"}, [("environment",), ("runs",)]),
        ({"base_url": "nonsense"}, [("baseUrl",)]),
        ({"idempotency_key": ""}, [("idempotencyKey",)]),
    ],
)
async def test_what_cannot_be_used_is_refused_by_its_name(
    acme: Tenant, given: dict[str, object], paths: list[tuple[str, ...]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await ask(acme.database, acme.actor, url=URL, **given)
    assert [fault.path for fault in refused.value.faults] == paths


async def test_a_refused_request_leaves_nothing_behind(acme: Tenant) -> None:
    with pytest.raises(NotFound):
        await ask(acme.database, acme.actor, url="http://new.test/", profile_id=new_id(), idempotency_key="key")
    found = await sites.SITES.under(acme.database.reader, acme.actor.reach, [acme.id], Window(), search=None, tags=[])
    assert found[acme.id].rows == []
    promised = await ask(acme.database, acme.actor, url="http://new.test/", idempotency_key="key")
    assert isinstance(promised, tuple)
    assert not promised[1]


async def test_a_base_url_changes_the_host_and_keeps_the_path(acme: Tenant) -> None:
    (id,) = await acme.request("http://h.test/a?b", base_url="https://preview-7.test:8443", environment="preview")
    audit = await acme.read(id)
    assert (audit.requested_url, audit.environment) == ("https://preview-7.test:8443/a?b", "preview")


async def test_more_than_may_wait_are_refused(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_QUEUED", 2)
    await acme.request(URL, URL, idempotency_key=None)
    with pytest.raises(LimitReached) as refused:
        await acme.request(URL)
    assert refused.value.limit == 2


async def test_a_replayed_request_is_no_new_audit_even_when_too_many_wait(
    acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = await acme.request(URL, idempotency_key="key")
    monkeypatch.setattr(rules, "MAX_QUEUED", 0)
    assert await acme.request(URL, idempotency_key="key") == [first]


async def test_a_waiting_audit_is_cancelled_once_and_never_taken(acme: Tenant, tmp_path: Path) -> None:
    (id,) = await acme.request()
    async with acme.database.work(acme.actor) as work:
        assert await audits.cancel(work, audit_id=id) == id
    audit = await acme.read(id)
    assert (audit.state, audit.phase) == ("CANCELLED", "ENDED")
    assert audit.finished_at is not None
    assert await (await taker(acme.database, tmp_path)).take() is None
    async with acme.database.work(acme.actor) as work:
        with pytest.raises(Conflict) as refused:
            await audits.cancel(work, audit_id=id)
    assert (refused.value.code, refused.value.existing) == (ProblemCode.STATE_CHANGED, ("audit", id))


async def test_what_has_finished_stays_finished(acme: Tenant, tmp_path: Path) -> None:
    (id,) = await acme.request()
    await (await taker(acme.database, tmp_path)).perform(ToldEngine((1,)))
    async with acme.database.work(acme.actor) as work:
        with pytest.raises(Conflict, match="finished already"):
            await audits.cancel(work, audit_id=id)
    assert (await acme.read(id)).state == "FINISHED"


async def test_only_who_may_cancels(database: SqlDatabase, acme: Tenant) -> None:
    (id,) = await acme.request()
    other = await tenant(database, "other")
    async with database.work(other.actor) as work:
        with pytest.raises(NotFound):
            await audits.cancel(work, audit_id=id)
    async with database.work(Actor(roles={acme.id: Role.VIEWER})) as work:
        with pytest.raises(NotAllowed):
            await audits.cancel(work, audit_id=id)
    assert (await acme.read(id)).state == "QUEUED"
