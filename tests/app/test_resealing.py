"""After a change of the secret all that lies sealed is sealed anew: beside a live service, in pieces, as often as one likes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import LargeBinary, insert, select

from app import cli, resealing
from app.commands import tables
from app.resealing import SEALED, Tally
from domain import accounts, mails, notifications, security, sites
from domain.access import SYSTEM, Actor
from domain.accounts import rules as accounts_rules
from domain.base import Base
from domain.ids import Kind, encode, new_id
from domain.keyring import ACCESS, CHANNELS, MAIL, TOKENS, Keyring, Unsealed
from domain.mails import StoredMail, Template
from domain.measuring import Access
from domain.workspaces import rules as workspaces_rules
from infra.db.database import SqlDatabase
from tests.app import houses
from tests.databases import everybodys, new_page, new_workspace

OLD, NEW, BOTH = Keyring([b"old"]), Keyring([b"new"]), Keyring([b"new", b"old"])
LOST = Keyring([b"lost"])
SECRET = "0123456789abcdef0123456789abcdef"
GIVEN = Access({"X-Token": "hunter2"}, {}, None, None)


def silent(kind: str, done: int, total: int) -> None:
    """Nobody looks."""


async def reseal(database: SqlDatabase, keyring: Keyring = BOTH) -> list[Tally]:
    return await resealing.reseal(database, keyring, silent)


async def new_site(database: SqlDatabase, slug: str, keyring: Keyring = OLD) -> tuple[UUID, Actor]:
    """A workspace's, with access to it."""
    workspace_id, actor = await new_workspace(database, slug)
    async with database.work(actor) as work:
        site = (await new_page(work, workspace_id, f"https://{slug}.example/")).site_id
        await sites.set_access(work, site_id=site, access=GIVEN, keyring=keyring)
    return site, actor


async def new_channel(database: SqlDatabase, actor: Actor, keyring: Keyring = OLD) -> UUID:
    (workspace_id,) = actor.roles
    kind = {"kind": notifications.ChannelKind.SLACK, "name": "here", "url": "https://hooks.example/secret"}
    async with database.work(actor) as work:
        made = await notifications.create(work, workspace_id=workspace_id, keyring=keyring, **kind)  # type: ignore[arg-type]
        return made.promised.id


async def write(database: SqlDatabase, number: int = 1, keyring: Keyring = OLD) -> list[UUID]:
    """Mails with what was given as what is sealed."""
    ids = [new_id() for _ in range(number)]
    async with everybodys(database) as connection:
        at = database._clock()
        sealed = keyring.seal(b"kept", MAIL)
        rows = [{"id": id, "template": Template.NEW_SIGN_IN, "sealed": sealed, "created_at": at} for id in ids]
        await connection.execute(insert(StoredMail), rows)
    return ids


async def stored(database: SqlDatabase, kind: str) -> list[bytes]:
    async with everybodys(database) as connection:
        table = SEALED[kind].table
        return [
            bytes(each) for each in (await connection.execute(select(table.c.sealed).order_by(*table.primary_key))).scalars()
        ]


def opens(keyring: Keyring, sealed: bytes, purpose: str) -> bool:
    try:
        keyring.open(sealed, purpose)
    except Unsealed:
        return False
    return True


async def test_what_lay_under_the_former_secret_is_opened_without_it(database: SqlDatabase) -> None:
    """Of all workspaces, which on PostgreSQL are behind walls."""
    ours, theirs = await new_site(database, "ours"), await new_site(database, "theirs")
    issued = await accounts.Signing(database, OLD, "https://pacemark.test").issue(new_id(), new_id())
    await write(database)
    await new_channel(database, theirs[1])
    assert await reseal(database) == [
        Tally("access to sites", 2, 0, []),
        Tally("signing keys", 1, 0, []),
        Tally("channels", 1, 0, []),
        Tally("mails", 1, 0, []),
    ]
    for site, actor in (ours, theirs):
        assert await sites.open_access(database.reader, actor.reach, site, NEW) == GIVEN
    assert await accounts.Signing(database, NEW, "https://pacemark.test").read(issued.text)
    assert [NEW.open(each, MAIL) for each in await stored(database, "mails")] == [b"kept"]
    sealed = [await stored(database, kind) for kind in SEALED]
    assert [
        opens(OLD, each, purpose)
        for group, purpose in zip(sealed, (ACCESS, TOKENS, CHANNELS, MAIL), strict=True)
        for each in group
    ] == [False] * 5
    assert await reseal(database) == [
        Tally("access to sites", 0, 2, []),
        Tally("signing keys", 0, 1, []),
        Tally("channels", 0, 1, []),
        Tally("mails", 0, 1, []),
    ]
    assert [await stored(database, kind) for kind in SEALED] == sealed, "a second run changes nothing"


async def test_what_is_interrupted_is_ended_by_the_next_run(database: SqlDatabase) -> None:
    number = 2 * security.sealing.PIECE + 1
    await write(database, number)
    told = list[tuple[str, int, int]]()

    def stop(kind: str, done: int, total: int) -> None:
        told.append((kind, done, total))
        if done == security.sealing.PIECE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await resealing.reseal(database, BOTH, stop)
    assert told[-2:] == [("mails", 0, number), ("mails", security.sealing.PIECE, number)]
    current = [BOTH.is_current(each, MAIL) for each in await stored(database, "mails")]
    assert current == [True] * security.sealing.PIECE + [False] * (security.sealing.PIECE + 1)
    assert (await reseal(database))[-1] == Tally("mails", security.sealing.PIECE + 1, security.sealing.PIECE, [])


@pytest.mark.parametrize("pieces", [1, 2])
async def test_a_number_that_fills_its_pieces_is_counted_once(database: SqlDatabase, pieces: int) -> None:
    await write(database, pieces * security.sealing.PIECE)
    assert (await reseal(database))[-1] == Tally("mails", pieces * security.sealing.PIECE, 0, [])


async def test_what_no_secret_opens_is_named_and_left_and_all_else_is_done(database: SqlDatabase) -> None:
    lost, owner = await new_site(database, "lost", LOST)
    await new_site(database, "former")
    [before, _] = await stored(database, "access to sites")
    channel = await new_channel(database, owner, LOST)
    mail, *_ = await write(database, keyring=LOST)
    await write(database, 2, NEW)
    assert await reseal(database) == [
        Tally("access to sites", 1, 0, [encode(Kind.SITE, lost)]),
        Tally("signing keys", 0, 0, []),
        Tally("channels", 0, 0, [encode(Kind.CHANNEL, channel)]),
        Tally("mails", 0, 2, [f"mail_{mail.hex}"]),
    ]
    assert before in await stored(database, "access to sites")
    recovered = Keyring([b"new", b"old", b"lost"])
    assert [(each.anew, each.lost) for each in await reseal(database, recovered)] == [(1, []), (0, []), (1, []), (1, [])]


async def test_what_somebody_sets_meanwhile_is_what_stays(database: SqlDatabase) -> None:
    site, actor = await new_site(database, "acme")
    later = Access({"X-Token": "later"}, {}, None, None)

    async def replace() -> None:
        async with database.work(actor) as work:
            await sites.set_access(work, site_id=site, access=later, keyring=BOTH)

    async with database.work(SYSTEM) as work:
        assert (await security.reseal(work, sites.SEALED, BOTH)).anew == 1
        setting = asyncio.create_task(replace())
        await asyncio.sleep(0)
    await setting
    assert await sites.open_access(database.reader, actor.reach, site, NEW) == later


async def test_two_runs_at_once_seal_each_row_once(database: SqlDatabase) -> None:
    await write(database, 3)
    one, other = await asyncio.gather(reseal(database), reseal(database))
    assert sorted([one[-1][1:3], other[-1][1:3]]) == [(0, 3), (3, 0)]
    assert all(opens(NEW, each, MAIL) for each in await stored(database, "mails"))


def test_every_table_with_something_sealed_is_sealed_anew() -> None:
    sealed = {
        table.name
        for table in Base.metadata.tables.values()
        if any(isinstance(column.type, LargeBinary) or "sealed" in column.name for column in table.c)
    }
    assert sealed == {each.table.name for each in SEALED.values()}


def test_for_how_long_a_former_secret_is_needed_is_told_as_it_is() -> None:
    assert f"all others end after {accounts_rules.IDLE.days} days" in tables.STILL_FORMER
    assert f"invitations: {workspaces_rules.OPEN.days} days; links in mails: a day at most" in tables.STILL_FORMER
    longest = max(accounts_rules.VERIFIED_WITHIN, accounts_rules.RESET_WITHIN)
    assert longest.total_seconds() == 86_400


@dataclass
class Installation:
    """A folder that was used under the secret in it, and is from now on under one of the settings."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def run(self, *former: str) -> tuple[object, str, str]:
        self.monkeypatch.setenv("PACEMARK_SECRET", SECRET)
        self.monkeypatch.setenv("PACEMARK_FORMER_SECRETS", ",".join(former))
        with pytest.raises(SystemExit) as ended:
            cli.dispatch(["secrets", "reseal", "--data", str(self.folder)])
        return ended.value.code, *self.capsys.readouterr()

    async def fill(self) -> str:
        """A mail, and a site with access, whose id this is."""
        async with houses.opened(self.folder) as (house, owner):
            [workspace_id] = owner.roles
            async with house.database.work(owner) as work:
                site = (await new_page(work, workspace_id, "https://own.example/")).site_id
                await sites.set_access(work, site_id=site, access=GIVEN, keyring=house.keyring)
                await mails.send(work, Template.NEW_SIGN_IN, "ann@example.org", {}, house.keyring)
        return encode(Kind.SITE, site)


@pytest.fixture
def there(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Installation:
    return Installation(tmp_path, capsys, monkeypatch)


def table(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines()[3:7]]


def test_the_command_tells_what_was_done_and_what_still_needs_the_former_secret(there: Installation) -> None:
    asyncio.run(there.fill())
    former = (there.folder / "secret").read_text().strip()
    for access, mail in ((["1", "0"], ["1", "0"]), (["0", "1"], ["0", "1"])):
        status, out, errors = there.run(former)
        assert (status, errors) == (0, "")
        assert table(out) == [
            ["access", "to", "sites", *access, "0"],
            ["signing", "keys", "0", "0", "0"],
            ["channels", "0", "0", "0"],
            ["mails", *mail, "0"],
        ]
        assert out.endswith(f"\n{tables.STILL_FORMER}\n")
        for secret in (SECRET, former, "hunter2", "ann@"):
            assert secret not in out
    status, out, _ = there.run()
    assert (status, "former" in out) == (0, False)


def test_the_command_fails_where_something_cannot_be_opened_and_names_it(there: Installation) -> None:
    site = asyncio.run(there.fill())
    status, out, errors = there.run("f" * 32)
    assert (status, errors) == (1, "")
    assert table(out)[0] == ["access", "to", "sites", "0", "0", "1"]
    assert f"No secret opens, of access to sites: {site}\n" in out
    assert out.endswith(
        "Name the secret under which they were sealed in PACEMARK_FORMER_SECRETS and run this again, or set them anew.\n"
    )


def test_of_many_that_cannot_be_opened_some_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_resealed([Tally("mails", 0, 0, [f"mail_{number}" for number in range(1_021)])], former=True)
    out = capsys.readouterr().out
    assert "mail_19 and 1,001 more\n" in out
    assert "mail_20" not in out
