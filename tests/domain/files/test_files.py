"""Links that expire, and the bytes behind them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import files, workspaces
from domain.access import Actor, Reach, Role
from domain.errors import NotAllowed, NotFound
from domain.files import FileKind, sign, signed_id
from domain.ids import new_id
from infra.db.database import SqlDatabase
from infra.storage.disk import DiskStorage
from tests.databases import new_workspace

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=5)
SECRET = b"secret"
ID = UUID("018f8f8f-8f8f-7f8f-8f8f-8f8f8f8f8f8f")
TOKEN = sign(ID, UNTIL, SECRET)


def test_a_signed_link_leads_to_its_file_until_it_expires() -> None:
    assert signed_id(TOKEN, NOW, SECRET) == ID
    assert signed_id(TOKEN, UNTIL, SECRET) == ID
    assert signed_id(TOKEN, UNTIL + timedelta(seconds=1), SECRET) is None


def test_a_token_can_stand_in_an_address_as_it_is() -> None:
    assert len(TOKEN) == 32 + 1 + 10 + 1 + 32
    assert set(TOKEN) <= set("0123456789abcdef.")


def test_another_secret_signs_another_link() -> None:
    assert signed_id(TOKEN, NOW, b"other") is None
    assert sign(ID, UNTIL, b"other") != TOKEN


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_a_token_changed_anywhere_is_worth_nothing(place: int) -> None:
    for wrong in "0", "f", ".", "x":
        if TOKEN[place] != wrong:
            assert signed_id(TOKEN[:place] + wrong + TOKEN[place + 1 :], NOW, SECRET) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        ID.hex,
        TOKEN + "\n",
        " " + TOKEN,
        TOKEN.upper(),
        TOKEN + ".",
        "." + TOKEN,
        TOKEN[:-1],
        TOKEN + "0",
        TOKEN.replace(".", "\ud800"),
        "\ud800",
        "\x00" * 76,
        TOKEN.replace(ID.hex, str(ID)),
        f"{ID.hex}.99999999999999999999.{TOKEN[-32:]}",
        f"{ID.hex}.-1.{TOKEN[-32:]}",
        f"{ID.hex}.nan.{TOKEN[-32:]}",
        f"{ID.hex}..{TOKEN[-32:]}",
        f"{ID.hex}.{'٣' * 10}.{TOKEN[-32:]}",
        "é" * 76,
    ],
)
def test_a_malformed_token_is_worth_nothing_and_breaks_nothing(token: str) -> None:
    assert signed_id(token, NOW, SECRET) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_tokens(token: str) -> None:
    assert signed_id(token, NOW, SECRET) is None


async def test_a_file_is_fetched_decoded_and_one_that_is_not_there_is_none(database: SqlDatabase, tmp_path: Path) -> None:
    storage = DiskStorage(tmp_path / "files")
    workspace, actor = await new_workspace(database)
    plain, packed, gone = (new_id() for _ in range(3))
    await storage.put("a/plain", b"jpeg", content_type="image/jpeg")
    await storage.put("a/packed", gzip.compress(b"{}"), content_type="application/json", content_encoding="gzip")
    audit = new_id()
    stored = [
        files.Stored(packed, FileKind.REPORT, 0, None, "a/packed", 22, "application/json", "gzip"),
        files.Stored(plain, FileKind.FILMSTRIP, 1, 300.5, "a/plain", 4, "image/jpeg", None),
        files.Stored(gone, FileKind.SCREENSHOT, 2, None, "a/gone", 4, "image/jpeg", None),
    ]
    async with database.work(actor) as work:
        await files.keep(work, workspace_id=workspace, site_id=new_id(), audit_id=audit, run=0, stored=stored)
    found = await files.fetch(database.reader, storage, packed)
    assert found is not None
    assert (found[0].content_type, found[1]) == ("application/json", b"{}")
    found = await files.fetch(database.reader, storage, plain)
    assert found is not None
    assert (found[0].at_ms, found[1]) == (300.5, b"jpeg")
    assert await files.fetch(database.reader, storage, new_id()) is None
    with pytest.raises(NotFound):
        await files.fetch(database.reader, storage, gone)
    listed = await files.by_audits(database.reader, actor.reach, [audit, ID])
    assert [row.id for row in listed[audit]] == [packed, plain, gone]
    assert listed[ID] == []


async def test_files_of_another_tenant_are_not_seen(database: SqlDatabase) -> None:
    workspace, actor = await new_workspace(database)
    audit, file = new_id(), new_id()
    async with database.work(actor) as work:
        stored = [files.Stored(file, FileKind.REPORT, 0, None, "a", 1, "text/plain", None)]
        await files.keep(work, workspace_id=workspace, site_id=new_id(), audit_id=audit, run=0, stored=stored)
    for reach in (Reach(), Reach.whole(new_id())):
        assert await files.by_ids(database.reader, reach, [file]) == {}
        assert await files.by_audits(database.reader, reach, [audit]) == {audit: []}


async def test_a_link_to_a_file_leads_nowhere_once_the_workspace_is_deleted(database: SqlDatabase, tmp_path: Path) -> None:
    storage = DiskStorage(tmp_path / "files")
    workspace, actor = await new_workspace(database)
    await storage.put("a", b"jpeg", content_type="image/jpeg")
    stored = [files.Stored(ID, FileKind.FILMSTRIP, 0, 300.5, "a", 4, "image/jpeg", None)]
    async with database.work(actor) as work:
        await files.keep(work, workspace_id=workspace, site_id=new_id(), audit_id=new_id(), run=0, stored=stored)
    assert await files.fetch(database.reader, storage, ID) is not None
    async with database.work(actor) as work:
        await workspaces.delete_workspace(work, workspace_id=workspace)
    assert await files.fetch(database.reader, storage, ID) is None


async def test_only_who_may_request_audits_keeps_files(database: SqlDatabase) -> None:
    workspace, _ = await new_workspace(database)
    async with database.work(Actor(roles={workspace: Role.VIEWER})) as work:
        with pytest.raises(NotAllowed):
            await files.keep(work, workspace_id=workspace, site_id=new_id(), audit_id=new_id(), run=0, stored=[])
