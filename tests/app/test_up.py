"""`pacemark up`, and what may be done beside it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from domain.measuring import MetricName
from tests.app.running import Server, environment, pacemark, staying, until
from tests.infra.engines.local_site import Page, Site, site

VIEWER = "{ viewer { key { name role } workspaces { nodes { slug } } } }"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def running(home: Path) -> Iterator[Server]:
    with staying(home, "up", "--data", "data", runner_name="the one that is up") as server:
        yield server


@pytest.fixture(scope="module")
def pages() -> Iterator[Site]:
    with site() as serving:
        serving.pages["/"] = Page(b"<!doctype html><title>t</title><img src=/a.png><h1>Hello</h1>")
        serving.pages["/hangs"] = Page(hangs=True)
        yield serving


def test_it_prints_a_key_a_link_what_to_do_next_and_last_that_it_is_ready(running: Server, home: Path) -> None:
    printed = "\n".join(running.lines)
    assert running.lines[-1] == f"ready {running.url}"
    assert running.url.startswith("http://127.0.0.1:")
    assert f"{running.url}#key={running.key}\n" in printed
    assert f"pacemark audit https://example.com --data {home}/data\n" in printed
    assert running.query(VIEWER)["viewer"]["workspaces"]["nodes"] == [{"slug": "default"}]
    assert running.errors.read_text() == ""


def test_in_production_it_prints_no_key_but_says_where_it_lies(tmp_path: Path) -> None:
    with staying(tmp_path, "up", "--data", "the data", env="production", secret="9f2c4e8ab1d70356" * 4) as server:
        printed, key = "\n".join(server.lines), (tmp_path / "the data" / "key").read_text().strip()
        assert key.startswith("pmk_")
        assert "pmk_" not in printed + server.errors.read_text()
        assert f"  API key    in {tmp_path}/the data/key\n" in printed
        assert f"  GraphiQL   {server.url}\n" in printed
        line = next(line for line in server.lines if line.split()[:1] == ["curl"]).split(maxsplit=1)[1]
        given = {"capture_output": True, "text": True, "check": True, "env": environment(tmp_path), "timeout": 10}
        header = re.search(r'-H ("Authorization: [^"]*")', line)
        assert header is not None
        assert subprocess.run(["sh", "-c", f"echo {header[1]}"], **given).stdout == f"Authorization: Bearer {key}\n"
        assert server.query(VIEWER, key=key)["viewer"]["key"]["role"] == "OWNER"


def test_the_curl_line_works_when_pasted(running: Server, home: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    line = next(line for line in running.lines if line.split()[:1] == ["curl"]).split(maxsplit=1)[1]
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, env=environment(home), timeout=10)
    assert json.loads(done.stdout)["data"]["viewer"]["workspaces"]["nodes"][0]["slug"] == "default"


def test_a_browser_gets_graphiql_and_a_program_gets_the_api_at_the_same_address(running: Server) -> None:
    page = httpx.get(running.url, headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 200
    assert "Pacemark GraphiQL" in page.text
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = httpx.get(running.url, params={"query": "{ __typename }"}, headers=browser)
    assert answer.json() == {"data": {"__typename": "Query"}}
    posted = httpx.post(running.url, json={"query": "{ __typename }"}, follow_redirects=False)
    assert posted.json()["data"] == {"__typename": "Query"}
    front = httpx.get(running.base + "/", follow_redirects=False)
    assert (front.status_code, front.headers["Location"]) == (307, "/graphql")


@pytest.mark.parametrize("begun", [b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: "], ids=["line", "header"])
def test_a_head_without_end_is_cut_off(running: Server, begun: bytes) -> None:
    host, _, port = running.base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection, contextlib.suppress(ConnectionError):
        connection.sendall(begun)
        for _ in range(256):
            connection.sendall(b"a" * 4096)
        while connection.recv(4096):
            pass
        return  # it was closed before the end that never comes


def test_it_is_alive_and_ready(running: Server) -> None:
    assert httpx.get(running.base + "/healthz").json() == {"alive": True}
    parts = {"database": "ok", "migrations": "ok", "bus": "ok", "cache": "ok"}
    assert httpx.get(running.base + "/readyz").json() == {"ready": True, **parts}


def test_a_key_made_beside_it_stands_alone_on_standard_output_and_works(running: Server, home: Path) -> None:
    done = pacemark(home, "keys", "create", "a partner", "--workspace", "default", "--role", "VIEWER", "--data", "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pmk_")
    assert done.stdout.count("\n") == 1
    key = running.query(VIEWER, key=done.stdout.strip())["viewer"]["key"]
    assert key == {"name": "a partner", "role": "VIEWER"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x", "--workspace", "nowhere"], "There is no workspace 'nowhere' here.\n"),
        (["\x1b[31m"], "A key's name is 1 to 100 printable characters.\n"),
    ],
)
def test_a_key_that_cannot_be_made_is_a_sentence(running: Server, home: Path, words: list[str], sentence: str) -> None:
    done = pacemark(home, "keys", "create", *words, "--data", "data")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", sentence)


@pytest.mark.slow
def test_an_audit_beside_it_is_worked_by_it_and_both_give_the_same_numbers(running: Server, home: Path, pages: Site) -> None:
    done = pacemark(home, "audit", pages.origin + "/", "--json", "--data", "data", runner_name="the command")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    names = " ".join(told["metrics"])
    aliases = " ".join(
        f"{name}: measurement(metric: {name}) {{ metric {{ name title unit }} value rating low high samples }}"
        for name in MetricName.__members__
    )
    found = running.query(
        f"""query ($id: ID!) {{ audit(id: $id) {{
          id state requestedUrl finalUrl runner {{ name }} metrics {{ {names} }}
          measurements: __typename {aliases}
          scores {{ category title score }}
          findings(first: 100) {{ nodes {{ rule severity savingMs savingBytes }} }}
        }} }}""",
        id=told["id"],
    )["audit"]
    assert found["runner"]["name"] == "the one that is up"
    assert (found["state"], found["requestedUrl"], found["finalUrl"]) == ("FINISHED", told["url"], told["finalUrl"])
    assert found["metrics"] == told["metrics"]
    assert found["scores"] == told["scores"]
    measured = [{**found[name], **found[name]["metric"]} for name in MetricName.__members__ if found[name]]
    assert [
        (each["name"], each["title"], each["unit"], each["value"], each["rating"], each["low"], each["high"], each["samples"])
        for each in measured
    ] == [
        (each["metric"], *(each[key] for key in ("title", "unit", "value", "rating", "low", "high", "samples")))
        for each in told["measurements"]
    ]
    kept = ("rule", "severity", "savingMs", "savingBytes")
    assert found["findings"]["nodes"] == [{key: each[key] for key in kept} for each in told["findings"]]
    assert told["report"].startswith(running.base + "/report/")
    assert httpx.get(told["report"]).status_code == 200


@pytest.mark.slow
def test_an_interrupted_command_cancels_the_audit_that_another_process_works(running: Server, home: Path, pages: Site) -> None:
    done = pacemark(home, "audit", pages.origin + "/hangs", "--json", "--timeout", "1", "--data", "data")
    assert done.returncode == 4
    assert json.loads(done.stdout)["state"] == "CANCELLED"


def test_a_taken_port_is_a_sentence_and_status_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = pacemark(tmp_path, "up", "--port", str(port), "--data", "data")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Port {port} of 127.0.0.1 is taken. Choose another: --port {port + 1}\n"
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_a_second_one_on_the_folder_answers_and_takes_the_work_over_when_the_first_is_gone(tmp_path: Path, pages: Site) -> None:
    with (
        staying(tmp_path, "up", "--data", "data", runner_name="first") as first,
        staying(tmp_path, "up", "--data", "data", runner_name="second") as second,
    ):
        assert first.key == second.key
        assert _worked_by(second, pages.origin + "/") == "first"
        assert first.stop(signal.SIGINT) == 0
        assert _worked_by(second, pages.origin + "/") == "second"


def _worked_by(server: Server, url: str) -> str:
    workspace = server.query('{ workspace(slug: "default") { id } }')["workspace"]["id"]
    asked = server.query(
        "mutation ($input: AuditRequestInput!) { auditRequest(input: $input) { ... on AuditRequestPayload { audit { id } } } }",
        input={"workspace": workspace, "target": {"url": url}},
    )
    text = "query ($id: ID!) { audit(id: $id) { state runner { name } } }"

    def ended() -> str | None:
        audit = server.query(text, id=asked["auditRequest"]["audit"]["id"])["audit"]
        return audit["runner"]["name"] if audit["state"] == "FINISHED" else None

    return str(until(ended))


@pytest.mark.slow
def test_it_stops_within_seconds_and_stops_its_engines(tmp_path: Path, pages: Site) -> None:
    with staying(tmp_path, "up", "--data", "data") as server:
        asked = len(pages.asked_for("/hangs"))
        server.query(
            "mutation ($input: AuditRequestInput!) { auditRequest(input: $input) { __typename } }",
            input={"target": {"url": pages.origin + "/hangs"}},
        )
        until(lambda: len(pages.asked_for("/hangs")) > asked)
        assert server.stop(signal.SIGTERM, seconds=6) == 0
        assert "Work is given back unfinished" in server.errors.read_text()
        assert "Traceback" not in server.errors.read_text()
