"""`pacemark demo`: a site that grows slow is found out, and nothing stays behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app import cli
from app.demo import command, screen
from app.demo.command import Alone, Wish
from app.demo.site import PAGES, RENDERED_SECONDS, serving
from app.demo.story import SLOWED, Ending
from tests.app.report.results import Page
from tests.app.running import PACEMARK, environment, pacemark

LONGEST_SECONDS = 120
ELSEWHERE = {"database_url": "postgresql://nobody@127.0.0.1:1/none", "public_url": "https://pacemark.example.com"}
"""Settings that are for other processes."""


@contextmanager
def demo(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    (home / "tmp").mkdir()
    settings = environment(home, **ELSEWHERE) | {"TMPDIR": str(home / "tmp"), "HTTP_PROXY": "http://127.0.0.1:1"}
    with subprocess.Popen(
        [PACEMARK, "demo", *words], cwd=home, env=settings, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def until(process: subprocess.Popen[str], text: str) -> str:
    """What was printed until then."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            break
    else:
        assert process.stderr is not None
        raise AssertionError(f"It ended: {process.stderr.read()}")
    return "".join(lines)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_slowness_is_found_and_is_to_be_seen_in_the_report_until_one_has_seen_enough(tmp_path: Path) -> None:
    began = time.monotonic()
    with demo(tmp_path) as process:
        printed = until(process, "Ctrl+C")
        assert time.monotonic() - began < LONGEST_SECONDS
        address = re.search(r"^Report +(\S+)$", printed, re.MULTILINE)
        assert address is not None
        assert "\n/about      Page Load            NO EVIDENCE" in printed
        page = Page(httpx.get(address[1]).raise_for_status().text)
        said = re.search(r"Time to First Byte REGRESSED (\d+) ms → (\d+) ms", page.text)
        assert said is not None
        assert 150 < int(said[2]) - int(said[1]) < 300
        assert "Deploy 2.0 " in page.text
        assert [
            svg for svg in page.all("svg") if str(svg.get("aria-label")).startswith("Time to First Byte, snapshot by snapshot.")
        ]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert list((tmp_path / "tmp").iterdir()) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(address[1])


@pytest.mark.slow
def test_stopped_in_the_middle_it_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        until(process, "A small site")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_port_that_is_taken_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = pacemark(tmp_path, "demo", "--port", str(port), "--no-wait")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Port {port} of 127.0.0.1 is taken. Choose another: --port {port + 1}\n"


def test_no_setting_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {**ELSEWHERE, "env": "production"}.items():
        monkeypatch.setenv(f"PACEMARK_{name.upper()}", value)
    settings = Alone.model_validate({"data": tmp_path})
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path}/pacemark.db"
    assert settings.for_oneself


async def test_its_site_is_as_slow_as_it_is_told_to_be_and_its_file_is_not() -> None:
    async with serving() as site, httpx.AsyncClient(base_url=site.origin, trust_env=False) as visitor:
        for path, title in PAGES.items():
            assert f"<h1>{title}</h1>" in (await visitor.get(path)).raise_for_status().text
        assert (await visitor.get("/nowhere")).status_code == 404
        assert (await visitor.head("/about")).content == b""
        site.slowed_seconds = 0.2
        assert {path for path in PAGES if site.seconds(path) == RENDERED_SECONDS + 0.2} == SLOWED
        began = time.monotonic()
        await visitor.get("/")
        assert time.monotonic() - began >= 0.2
    with pytest.raises(httpx.ConnectError):
        httpx.get(site.origin)


async def test_a_visitor_who_says_nothing_sensible_is_sent_away() -> None:
    async with serving() as site:
        for nonsense in (b"\r\n\r\n", b"GET\r\n\r\n", b"A" * 100_000):
            with socket.create_connection(("127.0.0.1", int(site.origin.rpartition(":")[2]))) as connection:
                connection.setblocking(False)
                connection.sendall(nonsense[:60_000])
                async with httpx.AsyncClient(base_url=site.origin, trust_env=False) as visitor:
                    assert (await visitor.get("/about")).status_code == 200


@pytest.mark.parametrize(("told", "found"), [(["/", "/products"], True), (["/"], False), (["/", "/products", "/about"], False)])
def test_found_is_what_was_slowed_and_nothing_else(told: list[str], found: bool, capsys: pytest.CaptureFixture[str]) -> None:
    verdicts = [
        {"page": {"path": path}, "metric": {"name": "TTFB"}, "judgement": "REGRESSED" if path in told else "NO_EVIDENCE"}
        for path in PAGES
    ]
    screen.as_json(Ending(verdicts, "http://report", 6), "http://127.0.0.1:1", "pmk_1", "/data")
    document = json.loads(capsys.readouterr().out)
    assert (document["found"], document["report"], document["graphql"]) == (
        found,
        "http://report",
        "http://127.0.0.1:1/graphql",
    )


@pytest.mark.parametrize(
    ("words", "stays"),
    [((), True), (("--no-wait",), False), (("--json",), False), (("--json", "--wait"), True)],
    ids=["people", "people-in-haste", "programs", "programs-that-wait"],
)
def test_for_programs_it_ends_unless_they_say_that_it_shall_stay(
    words: tuple[str, ...], stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes: list[Wish] = []
    monkeypatch.setattr(command, "run", wishes.append)
    with pytest.raises(SystemExit):
        cli.dispatch(["demo", *words])
    assert [wish.stays for wish in wishes] == [stays]
