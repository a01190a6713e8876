"""`pacemark mails`: what an operator sees of mails that are not sent, and how they have them tried again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app import cli
from app.commands import tables
from domain import mails
from domain.access import SYSTEM
from domain.ids import new_id
from domain.mails import MailerAway, Pending, PendingRow, Template
from tests.app import houses
from tests.domain.mails.test_mails import ToldMailer

Run = Callable[..., tuple[object, str, str]]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = "[red]451[/red] 4.3.2 \x1b[31mtry later."


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, standard output and standard error of a command in the folder."""

    def run(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch([*words, "--data", str(tmp_path)])
        return ended.value.code, *capsys.readouterr()

    return run


def fill(folder: Path, dead: int = 1) -> list[str]:
    """Mails that were given up, and then one that waits."""

    async def make() -> list[str]:
        async with houses.opened(folder) as (house, _):
            database = house.database
            database._clock = lambda: NOON
            for number in range(dead):
                async with database.work(SYSTEM) as work:
                    await mails.send(
                        work, Template.PASSWORD_RESET, f"ann{number}@example.org", {"link": "pml_x"}, house.keyring
                    )
            database._clock = lambda: NOON + mails.rules.GIVEN_UP_AFTER
            for _ in range(dead):
                claim = await mails.take(database)
                assert claim is not None
                await mails.perform(database, ToldMailer(MailerAway(SAID)), house.keyring, claim)
            async with database.work(SYSTEM) as work:
                await mails.send(work, Template.NEW_SIGN_IN, "bob@example.org", {}, house.keyring)
            return [mails.named(each.row.id) async for each in mails.pending(database.reader, house.keyring)]

    return asyncio.run(make())


def listed(run: Run, *words: str) -> list[dict[str, object]]:
    status, out, errors = run("mails", "list", "--json", *words)
    assert (status, errors) == (0, "")
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def test_mails_are_listed_for_programs(tmp_path: Path, run: Run) -> None:
    dead, waiting = fill(tmp_path)
    assert listed(run) == [
        {
            "id": dead,
            "template": "PASSWORD_RESET",
            "to": "a***@example.org",
            "writtenAt": "2026-03-01T12:00:00+00:00",
            "nextTryAt": None,
            "deadAt": "2026-03-02T12:00:00+00:00",
            "error": f"It was tried for a day. {SAID}",
        },
        {
            "id": waiting,
            "template": "NEW_SIGN_IN",
            "to": "b***@example.org",
            "writtenAt": "2026-03-02T12:00:00+00:00",
            "nextTryAt": "2026-03-02T12:00:00+00:00",
            "deadAt": None,
            "error": None,
        },
    ]
    assert [each["id"] for each in listed(run, "--dead")] == [dead]


def test_mails_are_listed_for_people(tmp_path: Path, run: Run) -> None:
    dead, waiting = fill(tmp_path)
    status, out, _ = run("mails", "list")
    assert status == 0
    for part in (dead, waiting, "PASSWORD_RESET", "a***@example.org", "given up 2026-03-02 12:00", "next try 2026-03-02 12:00"):
        assert part in out
    assert all(word in out.split() for word in ("[red]451[/red]", "�[31mtry", "later.")), "as it was said, and harmless"
    assert out.endswith("Try again what was given up: pacemark mails retry ID    (or --all)\n")
    for secret in ("ann", "bob", "pml_x", "\x1b"):
        assert secret not in out


def test_one_that_is_being_sent_and_one_that_cannot_be_opened_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    row = PendingRow(new_id(), Template.NEW_SIGN_IN, b"", NOON, NOON, NOON, None, None)
    tables.show_mails([Pending(row, None)])
    out = capsys.readouterr().out
    assert "is being sent" in out
    assert "no secret opens it any more" in out
    assert "retry" not in out
    assert tables.mail_as_json(Pending(row, None))["nextTryAt"] is None


def test_those_that_are_named_are_tried_again(tmp_path: Path, run: Run) -> None:
    one, other, third, _ = fill(tmp_path, 3)
    assert run("mails", "retry", one, other) == (0, "2 mails are tried again.\n", "")
    assert [each["id"] for each in listed(run, "--dead")] == [third]
    assert run("mails", "retry", one, third) == (2, "", f"No mail of this id was given up: {one}\n")
    assert [each["id"] for each in listed(run, "--dead")] == [third], "all of them or none"


def test_all_are_tried_again_piece_by_piece(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.mails.PIECE", 2)
    fill(tmp_path, 5)
    assert run("mails", "retry", "--all") == (0, "5 mails are tried again.\n", "")
    assert listed(run, "--dead") == []
    assert run("mails", "retry", "--all") == (0, "No mail was given up.\n", "")
    assert len(listed(run)) == 6


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "Name mails by their ids, or give --all. They are listed by: pacemark mails list --dead\n"),
        (["x", "--all"], "Name mails by their ids, or give --all. They are listed by: pacemark mails list --dead\n"),
        (["job_1"], "This is not a mail's id, which looks like mail_018f…, with 32 hex digits.\n"),
        ([mails.named(UUID(int=7))], f"No mail of this id was given up: {mails.named(UUID(int=7))}\n"),
    ],
)
def test_bad_usage_is_a_sentence(run: Run, given: list[str], sentence: str) -> None:
    assert run("migrate")[0] == 0
    assert run("mails", "retry", *given) == (2, "", sentence)


def test_a_folder_without_mails_says_so(run: Run) -> None:
    assert run("mails", "list")[::2] == (2, run("jobs", "status")[2])
    assert run("migrate")[0] == 0
    assert run("mails", "list") == (0, "There is no mail that is not sent.\n", "")
    assert listed(run) == []


def test_the_status_of_jobs_says_where_dead_mails_are(tmp_path: Path, run: Run) -> None:
    fill(tmp_path)
    assert run("jobs", "status")[1].endswith("\nMails that were given up: pacemark mails list --dead\n")
    assert "pacemark jobs dead" not in run("jobs", "status")[1]
