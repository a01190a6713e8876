"""Who may see a report, and that everybody else gets one and the same answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

from app.usage import counted
from domain import keys, workspaces
from domain.access import Role
from domain.ids import Kind, encode, new_id
from domain.measuring import EngineName
from domain.paging import Window
from tests.databases import new_workspace

from .results import probed
from .shelf import Replay, Shelf

PROBE = Replay(EngineName.PROBE, [probed()])


async def key_of(shelf: Shelf, workspace: UUID | None = None) -> str:
    actor, id = shelf.actor, shelf.workspace
    if workspace is None:
        id, actor = await new_workspace(shelf.house.database, "other")
    async with shelf.house.database.work(actor) as work:
        return await keys.issue(work, workspace_id=id, name="ci", role=Role.VIEWER, keyring=shelf.house.keyring)


async def refused(shelf: Shelf, address: str, key: str | None = None) -> bytes:
    answer = await shelf.client.get(address, headers=[(b"Authorization", f"Bearer {key}".encode())] if key else [])
    assert answer.status_code == 404
    return answer.content


async def test_all_who_may_not_see_it_get_the_same_answer(shelf: Shelf) -> None:
    id, other = await shelf.measure(PROBE), await shelf.request()
    report = f"/report/{encode(Kind.AUDIT, id)}"
    token = shelf.link(id).partition("=")[2]
    foreign = await key_of(shelf)
    answers = [
        await refused(shelf, report),
        await refused(shelf, shelf.link(id, good_for=timedelta(seconds=-1))),
        await refused(shelf, shelf.link(id, secret=b"another" * 5)),
        await refused(shelf, f"{report}?token={token[:-1]}"),
        await refused(shelf, f"{report}?token={shelf.link(other).partition('=')[2]}"),
        await refused(shelf, shelf.link(new_id())),
        await refused(shelf, report, foreign),
        await refused(shelf, report, foreign[:-1]),
        await refused(shelf, report, "é\x00"),
    ]
    assert len(set(answers)) == 1
    assert b"This link opens no report" in answers[0]
    assert b"reportUrl" in answers[0]


async def test_a_link_opens_nothing_once_its_workspace_is_deleted(everywhere: Shelf) -> None:
    shelf = everywhere
    id = await shelf.measure(PROBE)
    report, link, key = f"/report/{encode(Kind.AUDIT, id)}", shelf.link(id), await key_of(shelf, shelf.workspace)
    unknown = await refused(shelf, shelf.link(new_id()))
    assert (await shelf.client.get(link)).status_code == 200
    async with shelf.house.database.work(shelf.actor) as work:
        await workspaces.delete_workspace(work, workspace_id=shelf.workspace)
    assert await refused(shelf, link) == await refused(shelf, report, key) == unknown


async def test_malformed_ids_and_tokens_are_answered_like_wrong_ones(shelf: Shelf) -> None:
    ids = ["audit_", "audit_xyz", "site_" + "0" * 32, "%00", "audit_" + "F" * 32, "é", "a" * 5000, encode(Kind.AUDIT, new_id())]
    tokens = ["", ".", "..", "1.2.3", "é.%00.%ff", "a" * 5000, f"{'0' * 32}.x.{'0' * 32}"]
    for id, token in product(ids, tokens):
        await refused(shelf, f"/report/{id}?token={token}")


async def test_a_key_of_the_workspace_opens_its_reports(shelf: Shelf) -> None:
    id = await shelf.measure(PROBE)
    key = await key_of(shelf, shelf.workspace)
    answer = await shelf.client.get(f"/report/{encode(Kind.AUDIT, id)}", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, "/pricing" in answer.text) == (200, True)


async def test_when_a_key_opened_a_report_last_is_known_afterwards(everywhere: Shelf) -> None:
    shelf = everywhere
    id = await shelf.measure(PROBE)
    report, key = f"/report/{encode(Kind.AUDIT, id)}", await key_of(shelf, shelf.workspace)

    async def used() -> list[datetime | None]:
        page = await keys.KEYS.of(shelf.house.database.reader, shelf.actor.reach, shelf.workspace, Window())
        return [row.last_used_at for row in page.rows]

    before = datetime.now(UTC)
    async with counted(shelf.house):
        for brought in ({}, {"Authorization": f"Basic {key}"}, {"Authorization": f"Bearer {key[:-1]}"}):
            assert (await shelf.client.get(report, headers=brought)).status_code == 404
        link = shelf.link(id)
        assert (await shelf.client.get(link, headers={"Authorization": f"Bearer {key}"})).status_code == 200
    assert await used() == [None], "a link needs no key"
    async with counted(shelf.house):
        assert (await shelf.client.get(report, headers={"Authorization": f"Bearer {key}"})).status_code == 200
    [at] = await used()
    assert at is not None
    assert before <= at <= datetime.now(UTC)


async def test_a_report_is_kept_by_nobody_and_runs_nothing(shelf: Shelf) -> None:
    answer = await shelf.client.get(shelf.link(await shelf.measure(PROBE)))
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert (await shelf.client.get("/report/none")).headers["content-security-policy"] == policy
