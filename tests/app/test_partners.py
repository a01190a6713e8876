"""The page for partners is tried as it stands: its commands, in its order."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.app.running import PACEMARK, environment, staying
from tests.house.code import ROOT

PAGE = (ROOT / "docs" / "partners.md").read_text(encoding="utf-8")
COMMANDS = [
    "\n".join(line.removeprefix("   ") for line in block.splitlines())
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
]


@pytest.mark.slow
def test_five_commands_lead_from_a_key_to_a_registered_document(tmp_path: Path) -> None:
    assert len(COMMANDS) == 5
    data = tmp_path / "data"
    with staying(tmp_path, "up", data=str(data)) as server:
        given = environment(tmp_path, data=str(data), url=server.base)
        given["PATH"] = f"{PACEMARK.parent}{os.pathsep}{given['PATH']}"
        script = "set -eu\n" + "\necho ----\n".join([*COMMANDS, 'echo "$SHOP_KEY"'])
        ran = subprocess.run(
            ["bash", "-c", script], cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stderr
        said = ran.stdout.split("----\n")
        assert "REGISTERED_ONLY" in said[0]
        assert "1 added, 0 unchanged, 0 refused." in said[3]
        assert json.loads(said[4])["data"] == {"workspace": {"sites": {"nodes": []}}}
        key = {"Authorization": f"Bearer {said[5].strip()}"}
        text = httpx.post(server.url, json={"query": "{ __typename }"}, headers=key)
        assert text.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_ID_REQUIRED"
        by_path = httpx.get(f"{server.url}/d/Sites", headers=key)
        assert by_path.json() == {"data": {"workspace": {"sites": {"nodes": []}}}}
        unknown = httpx.get(f"{server.url}/d/Pages", headers=key)
        assert (unknown.status_code, unknown.json()["errors"][0]["extensions"]["code"]) == (404, "PERSISTED_QUERY_NOT_IN_LIST")
