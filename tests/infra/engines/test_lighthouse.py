"""The Lighthouse engine around its child process, with a stand-in for Node.js (`fake_node.py`) and no browser."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from domain.measuring import (
    Access,
    EngineFailure,
    FailureKind,
    FormFactor,
    Measured,
    MetricName,
    Order,
    Phase,
    Reached,
    Throttling,
    ThrottlingMethod,
)
from infra.engines.guard import Guard
from infra.engines.lighthouse import LighthouseEngine, find_lighthouse
from infra.engines.lighthouse.flags import chrome_flags, lighthouse_settings

ENGINE, OURS, PAGE = FailureKind.ENGINE, FailureKind.CONFIGURATION, FailureKind.PAGE


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stand-in for everything that has to be installed, which is also where temporary folders go."""
    package = tmp_path / "lib" / "node_modules" / "lighthouse"
    (package / "cli").mkdir(parents=True)
    (package / "cli" / "index.js").touch(0o755)
    (package / "package.json").write_text('{"name": "lighthouse", "version": "13.5.0"}')
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "lighthouse").symlink_to(package / "cli" / "index.js")
    fake = Path(__file__).with_name("fake_node.py")
    (programs / "node").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake}" "$@"\n')
    (programs / "node").chmod(0o755)
    (programs / "chromium").touch(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.delenv("CHROME_PATH", raising=False)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def engine(machine: Path, **options: Any) -> LighthouseEngine:
    lock = machine / "lighthouse.lock"
    return LighthouseEngine(Guard(allow_private=True), lock_file=lock, chrome=machine / "bin" / "chromium", **options)


def order(path: str = "/", runs: int = 1, access: Access | None = None) -> Order:
    return Order(f"http://127.0.0.1:9{path}", FormFactor.MOBILE, runs, access=access or Access())


async def steps(running: LighthouseEngine, wanted: Order) -> list[Reached | Measured]:
    return [step async for step in running.measure(wanted)]


async def failure(running: LighthouseEngine, wanted: Order) -> EngineFailure:
    with pytest.raises(EngineFailure) as failed:
        await steps(running, wanted)
    return failed.value


def seen(machine: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((machine / "temporary" / "seen.json").read_text())
    return told


async def test_every_run_says_its_phases_and_its_result(machine: Path) -> None:
    told = await steps(engine(machine), order(runs=2))
    assert [(type(step), step.run) for step in told] == [
        *((Reached, 0),) * 4,
        (Measured, 0),
        *((Reached, 1),) * 4,
        (Measured, 1),
    ]
    assert [step.phase for step in told if isinstance(step, Reached)] == [
        Phase.STARTING,
        Phase.LOADING,
        Phase.RESOURCES,
        Phase.ANALYSING,
    ] * 2
    assert isinstance(told[-1], Measured)
    assert told[-1].result.metrics[MetricName.PERFORMANCE_SCORE] == 0.96
    assert [entry.name for entry in (machine / "temporary").iterdir()] == ["seen.json"]


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("/crash", ENGINE, "LIGHTHOUSE_CRASHED"),
        ("/garbage", ENGINE, "RESULT_UNREADABLE"),
        ("/throws", ENGINE, "PROTOCOL_TIMEOUT"),
        ("/no-chrome", OURS, "CHROME_NOT_STARTED"),
    ],
)
async def test_a_child_that_fails_is_a_failure_with_a_code(machine: Path, path: str, kind: FailureKind, code: str) -> None:
    failed = await failure(engine(machine), order(path))
    assert (failed.kind, failed.code) == (kind, code)


async def test_what_a_crashed_child_said_is_logged_and_not_told(machine: Path, caplog: pytest.LogCaptureFixture) -> None:
    failed = await failure(engine(machine), order("/crash"))
    assert "SyntaxError: Unexpected token" in caplog.text
    assert failed.message == "Lighthouse ended without a result."


async def test_secrets_travel_over_stdin_alone(
    machine: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PACEMARK_SECRET", "secret-of-the-server")
    access = Access({"X-Preview": "secret-header"}, {"preview": "secret-cookie"}, "ann", "secret-password")
    await steps(engine(machine), order(access=access))
    told = seen(machine)
    assert told["job"]["headers"] == {
        "X-Preview": "secret-header",
        "Authorization": "Basic YW5uOnNlY3JldC1wYXNzd29yZA==",
    }
    assert told["job"]["cookies"] == {"preview": "secret-cookie"}
    assert told["job"]["origin"] == "http://127.0.0.1:9"
    assert "secret-" not in json.dumps([told["argv"], told["environment"], told["job"]["chromeFlags"]])
    await failure(engine(machine), order("/crash", access=access))
    assert "secret-" not in caplog.text


@pytest.mark.parametrize(
    "access",
    [
        Access(headers={"X-A": "b\r\nX-C: d"}),
        Access(headers={"X A": "b"}),
        Access(headers={"Host": "other.example"}),
        Access(cookies={"a": "b; Domain=example"}),
        Access(cookies={"a=b": "c"}),
    ],
)
async def test_an_access_that_cannot_be_sent_is_refused_before_the_start(machine: Path, access: Access) -> None:
    failed = await failure(engine(machine), order(access=access))
    assert (failed.kind, failed.code) == (OURS, "ACCESS_INVALID")


async def test_a_private_page_is_refused_before_the_start(machine: Path) -> None:
    running = LighthouseEngine(Guard(allow_private=False), lock_file=machine / "lock", chrome=machine / "bin/chromium")
    failed = await failure(running, order())
    assert (failed.kind, failed.code) == (PAGE, "ADDRESS_REFUSED")
    assert not (machine / "temporary" / "seen.json").exists()


async def test_an_address_that_is_none_is_refused_before_the_start(machine: Path) -> None:
    failed = await failure(engine(machine), Order("ftp://127.0.0.1/", FormFactor.MOBILE, 1))
    assert (failed.kind, failed.code) == (PAGE, "URL_INVALID")


async def test_two_runs_are_never_at_once_on_one_machine(machine: Path) -> None:
    first, second = engine(machine), engine(machine)
    async with aclosing(first.measure(order("/hang"))) as holding:
        assert await anext(holding) == Reached(Phase.STARTING, 0)
        async with aclosing(second.measure(order())) as waiting:
            assert await anext(waiting) == Reached(Phase.WAITING, 0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(waiting), 0.6)
    assert (await steps(second, order()))[0] == Reached(Phase.STARTING, 0)


async def test_who_waits_goes_on_when_the_machine_is_free(machine: Path) -> None:
    first = engine(machine).measure(order("/hang"))
    await anext(first)
    waiting = engine(machine).measure(order())
    assert await anext(waiting) == Reached(Phase.WAITING, 0)
    goes_on = asyncio.create_task(anext(waiting))
    await first.aclose()
    assert await asyncio.wait_for(goes_on, 5) == Reached(Phase.STARTING, 0)
    await waiting.aclose()


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def hanging(machine: Path) -> list[int]:
    """The processes of the run that hangs, once it does."""
    while not (machine / "temporary" / "started.json").exists():
        await asyncio.sleep(0.02)
    started: list[int] = json.loads((machine / "temporary" / "started.json").read_text())
    assert [alive(process) for process in started] == [True, True]
    assert len({os.getpgid(process) for process in started}) == 1
    return started


@pytest.mark.slow
async def test_the_deadline_ends_the_whole_process_group(machine: Path) -> None:
    watching = asyncio.create_task(hanging(machine))
    failed = await failure(engine(machine, deadline=1.5), order("/hang"))
    assert (failed.kind, failed.code, failed.retryable) == (ENGINE, "DEADLINE_EXCEEDED", True)
    assert [alive(process) for process in await watching] == [False, False]


@pytest.mark.slow
async def test_cancelling_ends_the_whole_process_group(machine: Path) -> None:
    task = asyncio.create_task(steps(engine(machine), order("/hang")))
    started = await hanging(machine)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [alive(process) for process in started] == [False, False]
    assert (await steps(engine(machine), order()))[-1].run == 0  # the machine is free again


async def test_cancelling_twice_leaves_nothing_behind_either(machine: Path) -> None:
    task = asyncio.create_task(steps(engine(machine), order("/hang")))
    started = await hanging(machine)
    task.cancel()
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.2)
    assert [alive(process) for process in started] == [False, False]


def test_what_is_installed_is_found_on_the_path(machine: Path) -> None:
    found = find_lighthouse()
    assert (found.node, found.chrome) == (machine / "bin" / "node", machine / "bin" / "chromium")
    assert (found.lighthouse, found.version) == (machine / "lib" / "node_modules" / "lighthouse", "13.5.0")


def test_a_project_beside_us_is_searched_too(machine: Path) -> None:
    (machine / "bin" / "lighthouse").unlink()
    (machine / "lib").rename(machine / "other")
    (machine / "node_modules").symlink_to(machine / "other" / "node_modules")
    assert find_lighthouse().lighthouse == machine / "other" / "node_modules" / "lighthouse"


def test_chrome_path_goes_before_the_path(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = machine / "my-chrome"
    own.touch(0o755)
    monkeypatch.setenv("CHROME_PATH", str(own))
    assert find_lighthouse().chrome == own


def test_the_settings_go_before_everything(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROME_PATH", "/nowhere")
    chrome, package = machine / "bin" / "chromium", machine / "lib" / "node_modules" / "lighthouse"
    (machine / "bin" / "lighthouse").unlink()
    found = find_lighthouse(lighthouse=package, chrome=chrome, node=machine / "bin" / "node")
    assert (found.chrome, found.lighthouse) == (chrome, package)


@pytest.mark.parametrize(
    ("missing", "code", "advice"),
    [
        ("node", "NODE_NOT_FOUND", "Install Node.js 22"),
        ("lighthouse", "LIGHTHOUSE_NOT_FOUND", "npm install --global lighthouse"),
        ("chromium", "CHROME_NOT_FOUND", "apt-get install chromium"),
    ],
)
def test_what_is_missing_is_named_with_the_way_to_get_it(
    machine: Path, monkeypatch: pytest.MonkeyPatch, missing: str, code: str, advice: str
) -> None:
    (machine / "bin" / missing).unlink()
    monkeypatch.setenv("PATH", str(machine / "bin"))
    with pytest.raises(EngineFailure) as failed:
        find_lighthouse()
    assert (failed.value.kind, failed.value.code) == (OURS, code)
    assert advice in failed.value.message


def test_a_path_in_the_settings_that_leads_nowhere_is_told_and_not_passed_over(machine: Path) -> None:
    for setting, code in (("node", "NODE"), ("lighthouse", "LIGHTHOUSE"), ("chrome", "CHROME")):
        with pytest.raises(EngineFailure, match="at the path that the settings name") as failed:
            find_lighthouse(**{setting: machine / "nowhere"})
        assert failed.value.code == f"{code}_NOT_FOUND"


def test_programs_that_are_too_old_are_told_so(machine: Path) -> None:
    (machine / "lib" / "node_modules" / "lighthouse" / "package.json").write_text('{"name": "lighthouse", "version": "9.6.8"}')
    with pytest.raises(EngineFailure, match="Lighthouse 10 or newer is needed") as failed:
        find_lighthouse()
    assert failed.value.code == "LIGHTHOUSE_TOO_OLD"
    (machine / "bin" / "node").write_text("#!/bin/sh\necho v18.20.4\n")
    with pytest.raises(EngineFailure, match="version 18 was found") as failed:
        find_lighthouse()
    assert failed.value.code == "NODE_TOO_OLD"


def test_a_phone_is_lighthouses_own_preset() -> None:
    assert lighthouse_settings(FormFactor.MOBILE, None) == {"formFactor": "mobile"}


def test_a_throttling_of_ones_own_is_given_in_both_of_lighthouses_ways() -> None:
    throttling = Throttling(ThrottlingMethod.DEVTOOLS, rtt_ms=100, throughput_kbps=2000, cpu_slowdown=2)
    assert lighthouse_settings(FormFactor.MOBILE, throttling) == {
        "formFactor": "mobile",
        "throttlingMethod": "devtools",
        "throttling": {
            "rttMs": 100,
            "throughputKbps": 2000,
            "requestLatencyMs": 375,
            "downloadThroughputKbps": 1800,
            "uploadThroughputKbps": 1800,
            "cpuSlowdownMultiplier": 2,
        },
    }


def test_provided_changes_nothing() -> None:
    settings = lighthouse_settings(FormFactor.DESKTOP, Throttling(ThrottlingMethod.PROVIDED, 100, 2000, 4))
    assert settings["throttlingMethod"] == "provided"
    assert set(settings["throttling"].values()) == {0, 1}
    assert settings["throttling"]["cpuSlowdownMultiplier"] == 1


def test_no_way_around_the_proxy_is_left_open() -> None:
    flags = chrome_flags(4321, Path("/profile"))
    assert "--proxy-server=http://127.0.0.1:4321" in flags
    assert {
        "--proxy-bypass-list=<-loopback>",
        "--disable-quic",
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--remote-debugging-pipe",
    } <= set(flags)
    assert ("--no-sandbox" in flags) == (os.geteuid() == 0)
