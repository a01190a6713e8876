"""`pacemark channels` and `routes`: where alerts are told, and which of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import asking, cli
from app.alerting import channels, deliveries
from app.asking import There
from app.errors import Unusable
from domain.notifications import Moment, PauseReason
from tests.app import houses
from tests.databases import new_page

Run = Callable[..., tuple[object, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Exit status, standard output and standard error of a command in a folder with a site."""

    async def make() -> None:
        async with houses.opened(tmp_path) as (house, actor):
            (workspace_id,) = actor.roles
            async with house.database.work(actor) as work:
                await new_page(work, workspace_id, "https://shop.example/")

    def run(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch([*words, "--data", str(tmp_path)])
        return ended.value.code, *capsys.readouterr()

    asyncio.run(make())
    monkeypatch.setattr("app.commands.tables.WIDTH", 80)
    return run


def test_a_channel_gets_what_its_routes_say(run: Run, tmp_path: Path) -> None:
    where = f" --data {tmp_path}"
    make = f"Alerts are told nowhere yet. Make a channel: pacemark channels create NAME --url URL{where}\n"
    assert [run(*words.split())[1] for words in ("channels list", "channels deliveries", "routes list")] == [make] * 3
    code, out, err = run("channels", "create", "Team", "--url", "https://hooks.example/in")
    assert (code, err, "shown this once: whsec_" in out) == (0, "", True)
    team = out.split()[0]
    assert run("routes", "list")[1] == f"There is no route. Make one: pacemark routes create CHANNEL --site SITE{where}\n"
    told = f"Nothing was told for 30 days. See whether it works: pacemark channels test NAME{where}\n"
    assert run("channels", "deliveries", "Team")[1] == told
    which = ("--kind", "breach", "--kind", "verdict", "--severity", "error", "--site", "shop-example", "--tag", "client-a")
    route = json.loads(run("routes", "create", "Team", *which, "--environment", "staging", "--json")[1])
    assert (route["kinds"], route["severity"], route["site"]["slug"]) == (["BREACH", "VERDICT"], "ERROR", "shop-example")
    assert (route["tags"], route["environment"], route["channel"]["id"]) == (["client-a"], "staging", team)
    assert json.loads(run("routes", "list", "Team", "--json")[1]) == [route]
    listed = run("routes", "list")[1]
    for part in (
        "breach or verdict, error\n",
        "of the site shop-example",
        "of sites tagged client-a",
        "in staging",
        route["id"],
    ):
        assert part.strip() in listed
    assert max(map(len, listed.splitlines())) <= 80
    assert "what its routes" in run("channels", "list")[1]
    silent = f"Its channel gets nothing now. Let it get every alert: pacemark channels everything {team}{where}\n"
    assert run("routes", "delete", route["id"]) == (0, f"The route is forgotten.\n{silent}", "")
    assert run("channels", "everything", "Team")[1] == "It gets every alert from now on.\n"
    assert run("channels", "pause", "Team")[1] == (
        f"It is paused. Let it be told again: pacemark channels resume {team}{where}\n"
    )
    listed = run("channels", "list")[1]
    assert max(map(len, listed.splitlines()[:-1])) <= 80
    assert [part in listed for part in ("every alert", "paused by", "https://hooks.example", team)] == [True] * 4
    assert run("channels", "resume", team)[0] == 0
    (row,) = json.loads(run("channels", "list", "--json")[1])
    assert (row["paused"], row["everything"]) == (False, True)
    assert run("channels", "delete", "Team") == (0, "The channel is forgotten.\n", "")


def test_what_is_said_wrongly_is_a_sentence(run: Run) -> None:
    assert run("channels", "create", "Ann", "--email", "ann@example.org", "--routed")[0] == 0
    one = "Say where, by one of them: --url URL, --slack URL, or --email ADDRESS.\n"
    for words, sentence in (
        (("channels", "create", "X"), one),
        (("channels", "create", "X", "--url", "https://a.example", "--email", "ann@example.org"), one),
        (("channels", "create", "X", "--slack", "ftp://a.example"), "An address begins with http:// or https://.\n"),
        (("channels", "retry", "delivery_" + "0" * 32), "There is no such delivery, or it is not yours.\n"),
        (("routes", "delete", "route_" + "0" * 32), "There is no such route, or it is not yours.\n"),
    ):
        assert run(*words) == (2, "", sentence)
    code, _, err = run("routes", "create", "Bob")
    assert (code, err[:44]) == (2, "There is no channel 'Bob' in this workspace.")


def test_a_key_that_may_not_see_channels_is_not_said_to_have_none() -> None:
    with pytest.raises(Unusable, match="key of an admin"):
        channels.of({"id": "workspace_1", "channels": None})


async def test_a_workspace_that_is_not_there_is_not_said_to_be_empty() -> None:
    async def ask(_text: str, **_variables: Any) -> dict[str, Any]:
        return {"workspace": None}

    with pytest.raises(Unusable, match="There is no workspace 'acme' there"):
        await asking.every(There(ask, "acme", "there."), "query", ("workspace", "alerts"), 10)


def test_there_are_words_for_whatever_is_said() -> None:
    assert set(channels._WHY) == set(PauseReason)
    assert set(deliveries._MOMENTS) == set(Moment)
