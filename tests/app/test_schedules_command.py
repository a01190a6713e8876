"""`pacemark schedules`: what is measured regularly is made, seen, paused, fired and forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli
from app.judging import schedules
from domain import sites
from tests.app import houses
from tests.databases import new_page

Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Exit status, standard output and standard error of a command in a folder with two sites, one of which has a page."""

    async def make() -> None:
        async with houses.opened(tmp_path) as (house, actor):
            (workspace_id,) = actor.roles
            async with house.database.work(actor) as work:
                await new_page(work, workspace_id, "https://shop.example/pricing")
                await sites.create(work, workspace_id=workspace_id, origin="https://blog.example")

    def run(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch(["schedules", *words, "--data", str(tmp_path)])
        return ended.value.code, *capsys.readouterr()

    asyncio.run(make())
    monkeypatch.setattr("app.commands.tables.WIDTH", 80)
    return run


def test_a_schedule_from_its_making_to_its_end(run: Run, tmp_path: Path) -> None:
    where = f" --data {tmp_path}"
    make = f"Nothing is measured regularly. Make a schedule: pacemark schedules create SITE NAME --every 6h{where}\n"
    assert run("list") == (0, make, "")
    daily = ("Morning", "--cron", "0 6 * * MON-FRI", "--time-zone", "Europe/Berlin", "--page", "/pricing", "--profile", "Probe")
    code, out, err = run("create", "shop-example", *daily, "--runs", "3", "--jitter", "60")
    assert (code, err) == (0, "")
    id = out.split()[0]
    assert run("create", "blog-example", "[b]All of it", "--every", "90m", "--environment", "staging")[0] == 0
    (made,) = json.loads(run("list", "--site", "shop-example", "--json")[1])
    assert (made["id"], made["timeZone"], made["jitterSeconds"], made["runs"]) == (id, "Europe/Berlin", 60, 3)
    assert (made["page"]["path"], made["profile"]["name"], made["everyMinutes"]) == ("/pricing", "Probe", None)
    assert json.loads(run("pause", "Morning", "--json")[1])["paused"] is True
    lines = run("list")[1].splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for part in (
        "0 6 * * MON-FRI",
        "shop-example /pricing, Probe",
        "paused",
        "every 90 min",
        "[b]All of it",
        "never fired",
        id,
    ):
        assert part in text
    assert run("run", id) == (0, f"It waits to be measured. See: pacemark snapshots list --site shop-example{where}\n", "")
    code, out, _ = run("resume", id)
    assert (code, out[:14]) == (0, "It fires next ")
    assert run("delete", "Morning") == (0, "The schedule is forgotten; what it measured stays.\n", "")
    assert [row["name"] for row in json.loads(run("list", "--json")[1])] == ["[b]All of it"]


def test_what_is_said_wrongly_is_a_sentence(run: Run, tmp_path: Path) -> None:
    assert run("create", "shop-example", "Twice", "--every", "1h")[0] == 0
    assert run("create", "blog-example", "Twice", "--every", "1h")[0] == 0
    one = "Say when, by one of them: --every 6h, or --cron '0 6 * * MON-FRI'.\n"
    for words, sentence in (
        (("create", "shop-example", "X"), one),
        (("create", "shop-example", "X", "--every", "1h", "--cron", "@daily"), one),
        (("create", "shop-example", "X", "--every", "1.5h"), "--every is minutes, hours or days, such as 30m, 6h or 7d.\n"),
        (("create", "shop-example", "X", "--every", "8d"), "everyMinutes is from 1 to 10,080.\n"),
        (
            ("pause", "None"),
            f"There is no schedule 'None'. They are listed by: pacemark schedules list --data {tmp_path}\n",
        ),
        (("delete", "schedule_" + "0" * 32), "There is no such schedule, or it is not yours.\n"),
    ):
        assert run(*words) == (2, "", sentence)
    code, _, err = run("pause", "Twice")
    assert (code, err[:61]) == (2, "2 sites have a schedule 'Twice': name it by its id, such as s")


@pytest.mark.parametrize(("text", "number"), [("30m", 30), ("6h", 360), ("7d", 10_080)])
def test_a_time_is_so_many_minutes(text: str, number: int) -> None:
    assert schedules.minutes(text) == number
