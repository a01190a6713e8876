"""`pacemark jobs` and `pacemark keys`: what an operator sees, and what happens when they say so."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import cli
from app.commands import tables
from app.worker import appear
from domain import audits, jobs, keys
from domain.access import SYSTEM
from domain.audits import AuditState
from domain.ids import Kind, decode, encode, new_id
from domain.jobs import KindRow
from domain.measuring import EngineName
from tests.app import houses
from tests.app.running import pacemark

Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, standard output and standard error of a command in the folder."""

    def run(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch([*words, "--data", str(tmp_path)])
        return ended.value.code, *capsys.readouterr()

    return run


def dead_audits(folder: Path, number: int = 1) -> list[str]:
    """The ids of audits whose workers all died, in a folder that is new or not."""

    async def make() -> list[str]:
        async with houses.opened(folder) as (house, actor):
            ids = [await houses.file(house, actor, f"http://127.0.0.1/{each}") for each in range(number)]
            runner = await appear(house)
            clock = house.database._clock
            for each in range(jobs.MAX_DELIVERIES):
                moment = datetime.now(UTC) + each * timedelta(minutes=5)
                house.database._clock = lambda moment=moment: moment  # type: ignore[misc]
                for _ in ids:
                    probe = [EngineName.PROBE]
                    assert await audits.take(house.database, runner_id=runner, pool="default", engines=probe) is not None
                house.database._clock = lambda moment=moment: moment + jobs.CLAIM + timedelta(seconds=1)  # type: ignore[misc]
                async with house.database.work(SYSTEM) as work:
                    await audits.sweep(work)
            house.database._clock = clock
            return [encode(Kind.AUDIT, id) for id in ids]

    return asyncio.run(make())


def states(folder: Path, ids: list[str]) -> list[str]:
    async def read() -> list[str]:
        async with houses.opened(folder) as (house, actor):
            return [await houses.state(house, actor, decode(Kind.AUDIT, id)) for id in ids]

    return asyncio.run(read())


def listed(run: Run) -> list[dict[str, object]]:
    status, out, _ = run("jobs", "dead", "--json")
    assert status == 0
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def test_a_folder_without_work_says_so(run: Run) -> None:
    assert run("jobs", "status")[0] == 2
    assert run("migrate")[0] == 0
    assert run("keys", "create", "first")[0] == 0
    assert run("jobs", "status") == (0, "There is no background work: nothing waits, runs or was given up.\n", "")
    for command in (["dead"], ["replay", "--all"], ["drop", "--all"]):
        assert run("jobs", *command) == (0, "No job is dead.\n", ""), command
    assert run("jobs", "dead", "--json") == (0, "[]\n", "")


def test_a_database_that_is_not_there_is_a_sentence(run: Run) -> None:
    for command in (["status"], ["dead"], ["replay", "--all"]):
        status, out, errors = run("jobs", *command)
        assert (status, out) == (2, "")
        assert errors.startswith("The database is at version none and this program needs ")
        assert errors.endswith("Run: pacemark migrate\n")


def test_status_counts_what_waits_and_what_is_dead(tmp_path: Path, run: Run) -> None:
    dead_audits(tmp_path, 2)

    async def more() -> None:
        async with houses.opened(tmp_path) as (house, actor):
            await houses.file(house, actor)

    asyncio.run(more())
    status, out, _ = run("jobs", "status")
    assert status == 0
    table = words(out)
    assert table[0] == ["Kind", "Waiting", "Running", "Dead", "Oldest", "waits"]
    assert table[2][:4] == ["audits.probe", "1", "0", "2"]
    assert table[2][5] == "s"
    assert out.endswith("What is dead: pacemark jobs dead\n")


def test_what_was_given_up_is_listed_with_its_reason(tmp_path: Path, run: Run) -> None:
    (audit,) = dead_audits(tmp_path)
    (job,) = listed(run)
    assert (job["kind"], job["subject"], job["deliveries"]) == ("audits.probe", audit, 3)
    assert job["error"] == "Its worker disappeared 3 times while working on it."
    _, out, _ = run("jobs", "dead")
    for part in (job["id"], audit, "audits.probe", "taken 3 times"):
        assert str(part) in out
    assert "\x1b" not in out


def test_one_dead_job_is_replayed_with_its_audit(tmp_path: Path, run: Run) -> None:
    one, other = dead_audits(tmp_path, 2)
    job = next(str(each["id"]) for each in listed(run) if each["subject"] == one)
    assert run("jobs", "replay", job) == (0, "1 job waits again.\n", "")
    assert states(tmp_path, [one, other]) == [AuditState.QUEUED, AuditState.FAILED]
    assert [each["subject"] for each in listed(run)] == [other]
    status, out, errors = run("jobs", "replay", job)
    assert (status, out) == (2, "")
    assert errors == "There is no such job among the dead ones, or it is not yours.\n"


def test_all_are_replayed_page_by_page(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.paging.MAX_FIRST", 2)
    ids = dead_audits(tmp_path, 5)
    assert run("jobs", "replay", "--all") == (0, "5 jobs wait again.\n", "")
    assert states(tmp_path, ids) == [AuditState.QUEUED] * 5
    assert listed(run) == []


def test_one_dead_job_is_dropped_without_a_question(tmp_path: Path, run: Run) -> None:
    (audit,) = dead_audits(tmp_path)
    (job,) = listed(run)
    assert run("jobs", "drop", str(job["id"])) == (0, "1 dead job is forgotten.\n", "")
    assert listed(run) == []
    assert states(tmp_path, [audit]) == [AuditState.FAILED]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_to_drop_all_takes_a_yes(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    dead_audits(tmp_path, 2)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    status, _, errors = run("jobs", "drop", "--all")
    assert (status, errors) == (2, "This would drop 2 dead jobs for good, and nobody can be asked here. Say so: --yes\n")
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    status, out, _ = run("jobs", "drop", "--all")
    assert status == 1
    assert "Drop 2 dead jobs for good? [y/N]" in out
    assert len(listed(run)) == 2
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    status, out, _ = run("jobs", "drop", "--all")
    assert (status, out.endswith("2 dead jobs are forgotten.\n")) == (0, True)
    dead_audits(tmp_path, 1)
    assert run("jobs", "drop", "--all", "--yes") == (0, "1 dead job is forgotten.\n", "")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["replay"], "Name one dead job by its id, or give --all."),
        (["drop", "x", "--all"], "Name one dead job by its id, or give --all."),
        (["replay", "nonsense"], "This is not an id; the one of a thing of this kind looks like job_018f…"),
        (["drop", encode(Kind.AUDIT, new_id())], "This id is of the kind audit; here one of the kind job is needed."),
        (["dead", "--workspace", "nowhere"], "There is no workspace 'nowhere' here."),
    ],
)
def test_bad_usage_is_a_sentence(tmp_path: Path, run: Run, given: list[str], sentence: str) -> None:
    assert run("migrate")[0] == 0
    status, out, errors = run("jobs", *given)
    assert (status, out) == (2, "")
    assert errors.startswith(sentence)


def test_calls_that_wait_for_the_bus_are_shown_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    old = datetime.now(UTC) - timedelta(hours=30)
    tables.show_kinds([KindRow("audits.probe", 1_234, 2, 0, 56, 0, old)], calls_are_sent=True)
    table = words(capsys.readouterr().out)
    assert table[0] == ["Kind", "Waiting", "Running", "Dead", "Unsent", "Oldest", "waits"]
    assert table[2] == ["audits.probe", "1,234", "2", "0", "56", "1", "d"]


def test_what_a_page_wrote_into_an_error_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    now = datetime.now(UTC)
    tables.show_dead([jobs.JobRow(new_id(), "mails", new_id(), new_id(), 0, now, 1, now, "[red]x[/red]\x1b[31m\x9b", None)])
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert not {"\x1b", "\x9b"} & set(out)
    assert "taken 1 time" in out


def test_keys_are_listed_without_their_secrets_and_revoked_by_prefix_or_id(tmp_path: Path, run: Run) -> None:
    assert run("migrate")[0] == 0
    one, other = (run("keys", "create", name)[1].strip() for name in ("CI", "partner"))
    _, out, _ = run("keys", "list")
    table = words(out)
    assert table[0] == ["Key", "Name", "Role", "Issued", "(UTC)", "Expires", "(UTC)", "Last", "used", "(UTC)"]
    assert [row[:3] for row in table[2::2]] == [[one[:12], "CI", "Member"], [other[:12], "partner", "Member"]]
    assert one[13:] not in out
    assert run("keys", "revoke", one[:12]) == (0, f"The key 'CI' ({one[:12]}…) is revoked.\n", "")
    assert run("keys", "revoke", table[5][0])[0] == 0
    assert run("keys", "list")[1] == "There is no API key in this workspace. Make one: pacemark keys create NAME\n"

    async def opens(key: str) -> bool:
        async with houses.opened(tmp_path) as (house, _):
            return await keys.actor_for_key(house.database.reader, key, house.keyring) is not None

    assert not asyncio.run(opens(one))


def test_a_key_is_made_with_limits_and_rotated(tmp_path: Path, run: Run) -> None:
    assert run("migrate")[0] == 0
    key = run("keys", "create", "CI", "--scope", "AUDIT_REQUEST", "--expires", "90d")[1].strip()
    assert run("keys", "create", "CI", "--expires", "soon")[::2] == (
        2,
        "--expires takes hours or days, such as 12h or 90d.\n",
    )
    assert run("keys", "create", "CI", "--site", "none")[2] == "There is no site 'none' in this workspace.\n"
    new = run("keys", "rotate", key[:12], "--overlap", "0")[1].strip()

    async def scopes(text: str) -> object:
        async with houses.opened(tmp_path) as (house, _):
            actor = await keys.actor_for_key(house.database.reader, text, house.keyring)
            return actor and actor.scopes

    assert asyncio.run(scopes(key)) is None
    assert asyncio.run(scopes(new)) == {"AUDIT_REQUEST"}
    status, out, _ = run("keys", "rotate")
    assert (status, out[:37]) == (0, "A new key signs access tokens from 20")


def test_a_key_that_is_not_there_is_not_repeated(tmp_path: Path, run: Run) -> None:
    assert run("migrate")[0] == 0
    key = run("keys", "create", "CI")[1].strip()
    for given in (key, "pmk_00000000", "", encode(Kind.KEY, new_id())):
        status, out, errors = run("keys", "revoke", given)
        assert (status, out) == (2, "")
        assert errors == "No good key here has this prefix or id. They are listed by: pacemark keys list\n"


@pytest.mark.slow
def test_the_program_itself_has_these_commands(tmp_path: Path) -> None:
    for group in ("jobs", "keys"):
        done = pacemark(tmp_path, group, "--help")
        assert (done.returncode, done.stderr) == (0, "")
    assert all(word in pacemark(tmp_path, "jobs", "--help").stdout for word in ("status", "dead", "replay", "drop"))
    assert list(tmp_path.iterdir()) == []
