"""import-linter's contracts in pyproject.toml hold, and would be seen to break."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from .code import PACKAGES, ROOT, python_files

VIOLATIONS = {
    "domain/ids.py": ("import infra", "domain.ids -> infra"),
    "graph/__init__.py": ("import infra", "graph -> infra"),
    "infra/__init__.py": ("import app", "infra -> app"),
    "migrations/__init__.py": ("import infra", "migrations -> infra"),
    "domain/accounts/model.py": ("from domain import keys", "domain.accounts.model -> domain.keys"),
    "domain/errors.py": ("from domain import access", "domain.errors -> domain.access"),
    "domain/paging.py": ("import strawberry", "domain.paging -> strawberry"),
    "domain/metrics/scoring.py": ("import sqlalchemy", "domain.metrics.scoring -> sqlalchemy"),
    "domain/sites/rules.py": ("import asyncio", "domain.sites.rules -> asyncio"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sysconfig.get_path("scripts")) / "lint-imports"
    return subprocess.run([linter, "--no-logo", "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_imports_go_down_only_and_the_domain_speaks_no_protocol() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def broken_house(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy of the house into which every violation was built."""
    house = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", house)
    for path in python_files(*PACKAGES):
        (house / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, house / path)
    for name, (line, _) in VIOLATIONS.items():
        with (house / name).open("a") as file:
            file.write(f"\n{line}\n")
    result = lint(house)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("chain", [chain for _, chain in VIOLATIONS.values()])
def test_an_import_that_goes_up_is_seen(broken_house: str, chain: str) -> None:
    assert chain in broken_house
