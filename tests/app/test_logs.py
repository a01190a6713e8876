from __future__ import annotations

import json
import subprocess
import sys

from app.logs import clean

KEY = "pmk_3fo4vkin_1ilqv4fzg4v6bcrtf0kxzc6tkw7gisiamnmwry"


def cleaned(**event: object) -> dict[str, object]:
    return dict(clean(None, "info", dict(event)))


def test_a_secret_is_known_by_its_name() -> None:
    for name in ("authorization", "Cookie", "password", "client_secret", "token", "api_key", "key"):
        assert cleaned(**{name: "x"}) == {name: "…"}
    assert cleaned(keyboard="x") == {"keyboard": "x"}


def test_a_secret_is_known_by_its_form_wherever_it_stands() -> None:
    assert cleaned(event=f"a {KEY} b") == {"event": "a pmk_… b"}
    assert cleaned(exception="Authorization: Bearer abc.def-1 x") == {"exception": "Authorization: Bearer … x"}
    assert cleaned(event="postgresql://user:hunter2@host/name") == {"event": "postgresql://…@host/name"}


def test_what_a_page_wrote_writes_no_lines_of_its_own() -> None:
    assert cleaned(event="a\rb\x1b[31mc\x9bd") == {"event": "a�b�[31mc�d"}
    assert cleaned(exception="line\nline") == {"exception": "line\nline"}


def test_where_there_is_no_terminal_a_log_is_json_without_secrets_or_local_variables() -> None:
    program = f"""
import logging, structlog
from app import logs
logs.configure()
def fail():
    password = "hunter2"
    raise ValueError("no {KEY}")
try:
    fail()
except ValueError:
    structlog.get_logger().exception("It failed.", audits=2)
logging.getLogger("uvicorn.error").warning("from a library, %s", "hunter3@x")
logging.getLogger("uvicorn.error").info("nobody wants to know")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ours, theirs = [json.loads(line) for line in done.stderr.splitlines()]
    assert (ours["event"], ours["level"], ours["audits"]) == ("It failed.", "error", 2)
    assert ours["exception"].endswith("ValueError: no pmk_…")
    assert "hunter2" not in done.stderr
    assert (theirs["event"], theirs["level"]) == ("from a library, hunter3@x", "warning")
    assert done.stdout == ""


TRACED = """
import logging, structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from app import logs
logs.configure()
def say():
    structlog.get_logger().warning("ours")
    logging.getLogger("library").warning("theirs")
say()
for sampler in (ALWAYS_ON, ALWAYS_OFF):
    with TracerProvider(sampler).get_tracer("test").start_as_current_span("x") as span:
        print(span.get_span_context().trace_id, span.get_span_context().span_id)
        say()
        structlog.get_logger().warning("its own", trace_id="given")
"""


def test_a_log_line_names_the_sampled_trace_in_which_it_was_said_a_librarys_too() -> None:
    done = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, check=True)
    trace_id, span_id = map(int, done.stdout.splitlines()[0].split())
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    outside, sampled, unsampled = lines[:2], lines[2:5], lines[5:]
    assert [line["event"] for line in sampled] == ["ours", "theirs", "its own"]
    assert [line["trace_id"] for line in sampled] == [f"{trace_id:032x}", f"{trace_id:032x}", "given"]
    assert [line["span_id"] for line in sampled] == [f"{span_id:016x}"] * 3
    assert not any("span_id" in line for line in (*outside, *unsampled))
    assert [line.get("trace_id") for line in unsampled] == [None, None, "given"]


def test_in_a_terminal_a_line_is_short() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.stderr.isatty = lambda: True" + TRACED],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ours" in done.stderr
    assert "span_id" not in done.stderr
