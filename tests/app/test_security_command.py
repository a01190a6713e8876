"""`pacemark security export`: what an operator gets."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import cli
from domain import security
from domain.access import SYSTEM
from domain.ids import Kind, encode
from domain.security import SecurityKind
from domain.work import Origin
from tests.app import houses


def fill(folder: Path) -> str:
    """Two entries, one of them the workspace's, whose id this is."""

    async def make() -> str:
        async with houses.opened(folder) as (house, actor):
            [workspace_id] = actor.roles
            house.database._clock = lambda: datetime(2026, 3, 1, tzinfo=UTC)
            async with house.database.work(SYSTEM, Origin("203.0.113.7", "line\nbreak")) as work:
                security.log(work, SecurityKind.SIGN_IN_REFUSED)
                security.log(work, SecurityKind.KEY_REVOKED, workspace_id=workspace_id, subject="key_1", name="CI")
            return encode(Kind.WORKSPACE, workspace_id)

    return asyncio.run(make())


def run(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[object, list[str], str]:
    with pytest.raises(SystemExit) as ended:
        cli.dispatch(["security", "export", *words, "--data", str(folder)])
    out, err = capsys.readouterr()
    return ended.value.code, out.splitlines(), err


def test_it_prints_a_json_line_an_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = fill(tmp_path)
    status, lines, _ = run(capsys, tmp_path, "--workspace", "default")
    assert status == 0
    found = [each for each in map(json.loads, lines) if each["kind"] == "KEY_REVOKED"]
    assert found[0].pop("id").startswith("entry_")
    assert found == [
        {
            "at": "2026-03-01T00:00:00Z",
            "kind": "KEY_REVOKED",
            "workspaceId": workspace,
            "userId": None,
            "keyId": None,
            "sessionId": None,
            "subject": "key_1",
            "address": "203.0.113.7",
            "agent": "line\nbreak",
            "details": {"name": "CI"},
        }
    ]
    assert not any("SIGN_IN_REFUSED" in line for line in lines)


def test_without_a_workspace_it_prints_what_belongs_to_none_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    _, lines, _ = run(capsys, tmp_path)
    assert {"SIGN_IN_REFUSED", "KEY_REVOKED"} <= {json.loads(line)["kind"] for line in lines}


def test_what_is_older_than_since_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    kinds = [json.loads(line)["kind"] for line in run(capsys, tmp_path, "--since", "2026-03-01")[1]]
    assert {"SIGN_IN_REFUSED", "KEY_REVOKED"} <= set(kinds)
    kinds = [json.loads(line)["kind"] for line in run(capsys, tmp_path, "--since", "2026-03-01T00:00:01Z")[1]]
    assert not {"SIGN_IN_REFUSED", "KEY_REVOKED"} & set(kinds)


def test_a_workspace_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    assert run(capsys, tmp_path, "--workspace", "nobody") == (2, [], "There is no workspace 'nobody' here.\n")
