"""`pacemark budgets`: files become limits, and pages are held against them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import insert, update

from app import cli
from app.commands.limits import Checked
from domain import audits
from domain.budgets import BudgetSeverity, BudgetState, Outcome
from domain.ids import Kind, encode, new_id
from domain.measuring import Phase
from domain.sites import PageRow
from tests.app import houses
from tests.databases import everybodys
from tests.domain.budgets.test_ratchet import budget

Run = Callable[..., tuple[object, str, str]]

FILE = """[{"path": "/", "timings": [
  {"metric": "largest-contentful-paint", "budget": 2000}, {"metric": "first-cpu-idle", "budget": 1}
]}]"""


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, standard output and standard error of a command in the folder."""

    def run(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch([*words, "--data", str(tmp_path / "data")])
        return ended.value.code, *capsys.readouterr()

    return run


async def measured(folder: Path, lcp_ms: float) -> None:
    """An audit of a page, finished."""
    async with houses.opened(folder) as (house, actor):
        id = await houses.file(house, actor, "http://acme.example/")
        row = (await audits.by_ids(house.database.reader, actor.reach, [id]))[id]
        ended = {"state": audits.AuditState.FINISHED, "phase": Phase.ENDED, "finished_at": datetime.now(UTC)}
        run = {"id": new_id(), "audit_id": id, "index": 0, "measured_at": datetime.now(UTC), "warnings": []}
        whose = {"workspace_id": row.workspace_id, "site_id": row.site_id}
        async with everybodys(house.database) as connection:
            change = update(audits.Audit).where(audits.Audit.id == id)
            await connection.execute(change.values(**ended, representative_run=0))
            await connection.execute(insert(audits.Run).values(**run, **whose, lcp_ms=lcp_ms))


def test_a_file_is_imported_and_its_pages_are_checked(tmp_path: Path, run: Run) -> None:
    assert run("migrate")[0] == 0
    file = tmp_path / "budget.json"
    file.write_text(FILE)
    asyncio.run(measured(tmp_path / "data", 1500))
    status, out, _ = run("budgets", "import", str(file), "--dry-run")
    assert (status, out.rstrip().endswith("1 budget would be made, 1 skipped.")) == (0, True)
    assert run("budgets", "list")[1] == "There is no budget in this workspace. Import some: pacemark budgets import FILE\n"
    assert run("budgets", "check") == (0, "No page has a finished audit that a budget is for.\n", "")
    status, out, _ = run("budgets", "import", str(file), "--site", "acme-example")
    assert status == 0
    assert "[0].timings[1]" in out
    assert out.rstrip().endswith("1 budget made, 1 skipped.")
    (budget,) = json.loads(run("budgets", "list", "--json")[1])
    assert (budget["limit"], budget["unit"], budget["source"]) == (2000, "MILLISECOND", "BUDGET_JSON")
    assert budget["id"] in run("budgets", "list")[1]
    status, out, _ = run("budgets", "check")
    assert (status, out.splitlines()[-1]) == (0, "All green: 1 checked.")
    asyncio.run(measured(tmp_path / "data", 2600))
    status, out, _ = run("budgets", "check")
    assert (status, out.splitlines()[-1]) == (1, "1 checked, 1 breached.")
    status, out, _ = run("budgets", "check", "--json")
    (checked,) = json.loads(out)
    assert (status, checked["state"], checked["value"], checked["over"]) == (1, "BREACHED", 2600, 600)
    assert run("budgets", "delete", budget["id"]) == (0, "The budget is forgotten.\n", "")
    assert json.loads(run("budgets", "list", "--json")[1]) == []


@pytest.mark.parametrize(
    ("severity", "state", "fails"),
    [
        (BudgetSeverity.ERROR, BudgetState.BREACHED, True),
        (BudgetSeverity.WARN, BudgetState.BREACHED, False),
        (BudgetSeverity.ERROR, BudgetState.NOT_JUDGED, False),
        (BudgetSeverity.ERROR, BudgetState.PASSED, False),
    ],
)
def test_only_a_breach_of_severity_error_fails_a_build(severity: BudgetSeverity, state: BudgetState, fails: bool) -> None:
    """As Lighthouse CI's exit status is another than 0 for failed assertions of level error alone."""
    outcome = Outcome(budget(severity=severity), state)
    assert Checked(cast(PageRow, None), "", cast(audits.AuditRow, None), outcome).fails is fails


def test_bad_usage_and_a_bad_file_are_a_sentence(tmp_path: Path, run: Run) -> None:
    assert run("migrate")[0] == 0
    assert run("keys", "create", "first")[0] == 0
    file = tmp_path / ".lighthouserc.json"
    file.write_text('{"ci": {"assert": {"preset": "lighthouse:all"}}}')
    given = [
        (["import", str(tmp_path / "none")], "none cannot be read: No such file or directory."),
        (["import", str(file)], "ci.assert.preset: presets are not taken"),
        (["import", str(file), "--site", "none"], "There is no site 'none' in this workspace."),
        (["import", str(file), "--profile", "none"], "There is no profile 'none' in this workspace; there are Probe, "),
        (["check", "--site", "none"], "There is no site 'none' in this workspace."),
        (["delete", "nonsense"], "This is not an id"),
        (["delete", encode(Kind.BUDGET, new_id())], "There is no such budget, or it is not yours."),
    ]
    for words, sentence in given:
        status, out, errors = run("budgets", *words)
        assert (status, out) == (2, "")
        assert sentence in errors
