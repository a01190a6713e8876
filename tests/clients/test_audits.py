"""The GraphQL over HTTP audits of the `graphql-http` package, against a running Pacemark."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.app.running import staying

HERE = Path(__file__).parent

pytestmark = pytest.mark.browser


def test_every_audit_of_graphql_over_http_is_ok(tmp_path: Path) -> None:
    with staying(tmp_path, "up", "--data", str(tmp_path / "data")) as up:
        command = ["node", str(HERE / "audits.mjs"), up.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    audits = json.loads(done.stdout)
    assert [each for each in audits if each["status"] != "ok"] == []
    assert len(audits) == 61
