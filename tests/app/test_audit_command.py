"""`pacemark audit` where no other process works the folder."""

from __future__ import annotations

import json
import secrets
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import cli
from tests.app.running import PACEMARK, environment, pacemark, until
from tests.infra.engines.local_site import Page, Site, site
from tests.servers import PostgresServer, free_port

HEAD = b"<!doctype html><html lang=en><head><title>t</title></head><body>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alone")


@pytest.fixture(scope="module")
def pages() -> Iterator[Site]:
    with site() as running:
        running.pages["/"] = Page(HEAD + b"<h1>Hello</h1>")
        running.pages["/large"] = Page(HEAD + b"<i></i>" * 1_500)
        running.pages["/hangs"] = Page(hangs=True)
        running.pages["/hostile"] = Page(HEAD + "<img src='[red]x[/red]\x1b[31m\u202e\x9b.png'>".encode())
        yield running


def audit(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return pacemark(home, "audit", *words, "--data", "data", **settings)


@pytest.mark.slow
def test_an_audit_is_shown_as_a_table_and_its_progress_as_lines_on_standard_error(home: Path, pages: Site) -> None:
    done = audit(home, pages.origin + "/", "--runs", "3")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"{pages.origin}/: ")
    assert done.stderr.endswith(f"{pages.origin}/: done\n")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["finished", "·", "probe", "1.0", "·", "desktop", "·", "3", "runs"] in lines
    assert ["DOM", "Size", "5", "good", "good", "≤", "800,", "poor", ">", "1,400", "5"] in lines
    assert ["Requests", "1", "1"] in lines
    assert "high   The page is sent without encryption." in done.stdout
    assert f"pacemark up --data {home}/data, then http://127.0.0.1:8000/report/audit_" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert len(pages.asked_for("/")) == 3


def test_json_stands_alone_and_ratings_set_the_exit_status(home: Path, pages: Site) -> None:
    done = audit(home, pages.origin + "/large", "--runs", "1", "--json", "--fail-on", "poor", "--form-factor", "mobile")
    assert done.returncode == 1
    assert done.stderr.endswith("DOM Size is poor: 1,504\n")
    document = json.loads(done.stdout)
    assert document["state"] == "FINISHED"
    assert (document["engine"], document["formFactor"], document["runs"]) == ("PROBE", "MOBILE", 1)
    assert document["failure"] is None
    assert document["url"] == document["finalUrl"] == pages.origin + "/large"
    assert document["metrics"]["domSize"] == 1_504
    assert document["metrics"]["lcpMs"] is None
    measured = {each["metric"]: each for each in document["measurements"]}
    assert measured["DOM_SIZE"] == {
        "metric": "DOM_SIZE",
        "title": "DOM Size",
        "unit": "COUNT",
        "value": 1_504,
        "rating": "POOR",
        "good": 800,
        "poor": 1_400,
        "low": 1_504,
        "high": 1_504,
        "samples": 1,
    }
    assert "LCP" not in measured
    severities = [each["severity"] for each in document["findings"]]
    assert severities == sorted(severities, key=["HIGH", "MEDIUM", "LOW", "INFO"].index)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nonsense"], "An address begins with http:// or https://."),
        (["ftp://example.com/"], "An address begins with http:// or https://."),
        (["http://user:secret@example.com/"], "Names and passwords do not belong in an address"),
        (["http://exa mple.com/"], "This is not an address"),
        (["http://127.0.0.1/", "--engine", "guess"], "Invalid value for '--engine': Value error, 'guess' is not one of"),
        (["http://127.0.0.1/", "--runs", "21"], "Invalid value for '--runs': Input should be less than or equal to 20"),
        ([], "Missing argument 'URL'"),
    ],
)
def test_bad_usage_is_a_sentence_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.dispatch(["audit", *words, "--data", str(tmp_path / "data")])
    out, errors = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert sentence in " ".join(errors.replace("│", "").split())
    assert "secret" not in errors
    assert not (tmp_path / "data").exists()


def test_a_page_that_cannot_be_measured_is_status_3_and_json_says_why(home: Path) -> None:
    done = audit(home, f"http://127.0.0.1:{free_port()}/", "--json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert document["state"] == "FAILED"
    assert document["failure"]["kind"] == "PAGE"
    assert document["failure"]["code"] == "CONNECTION_REFUSED"
    assert document["measurements"] == document["findings"] == []


def test_an_engine_that_is_not_set_up_is_status_4_and_says_what_is_missing(home: Path, pages: Site) -> None:
    done = audit(home, pages.origin + "/", "--engine", "PageSpeed")
    assert done.returncode == 4
    assert "CONFIGURATION: PageSpeed Insights needs an API key" in done.stdout


@pytest.mark.slow
def test_the_timeout_cancels_the_audit(home: Path, pages: Site) -> None:
    done = audit(home, pages.origin + "/hangs", "--timeout", "1", "--json")
    assert done.returncode == 4
    assert done.stderr.endswith("The audit was cancelled: it took longer than 1 s.\n")
    assert json.loads(done.stdout)["state"] == "CANCELLED"


@pytest.mark.slow
def test_an_interrupt_cancels_the_audit(home: Path, pages: Site) -> None:
    asked = len(pages.asked_for("/hangs"))
    words = [PACEMARK, "audit", pages.origin + "/hangs", "--data", "data", "--json"]
    process = subprocess.Popen(
        words, cwd=home, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until(lambda: len(pages.asked_for("/hangs")) > asked)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors.endswith("Interrupted: the audit was cancelled.\n")
    assert json.loads(out)["state"] == "CANCELLED"


async def test_it_works_over_postgresql_too(
    tmp_path: Path, pages: Site, postgres_server: PostgresServer, nats_url: str
) -> None:
    installation = await postgres_server.create_installation("audit_command")
    settings = {**installation, "nats_url": nats_url, "nats_prefix": f"test_{secrets.token_hex(6)}"}
    done = audit(tmp_path, pages.origin + "/", "--runs", "1", "--json", **settings)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["domSize"] == 5
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["files", "secret", "setup.lock", "worker.lock"]
    await postgres_server.drop_database("audit_command")


@pytest.mark.slow
def test_what_a_page_wrote_moves_no_cursor_and_colours_nothing(home: Path, pages: Site) -> None:
    shown = audit(home, pages.origin + "/hostile", "--runs", "1")
    assert "[red]x[/red]" in shown.stdout
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown.stdout + shown.stderr)
    document = audit(home, pages.origin + "/hostile", "--runs", "1", "--json").stdout
    assert document.isascii()
    assert all(each.isprintable() or each == "\n" for each in document)
