"""Where PACEMARK_NO_SKIPS=1 is set, as in CI, a skipped test is a failed one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .code import ROOT

TESTS = """
import pytest

@pytest.mark.skip(reason="no browser (marked)")
def test_marked(): ...

def test_called(): pytest.skip("no browser (called)")

@pytest.fixture
def browser(): pytest.skip("no browser (fixture)")

def test_with_fixture(browser): ...

@pytest.mark.xfail
def test_expected_failure(): assert False

def test_fine(): ...
"""
WHOLE_FILE = "import pytest\npytest.importorskip('no_such_browser')\ndef test_it(): ...\n"


def run(folder: Path, test: str, no_skips: str) -> tuple[int, str]:
    (folder / "test_it.py").write_text(test)
    (folder / "pytest.ini").write_text("[pytest]\n")
    changed = {"PYTHONPATH": str(ROOT), "PACEMARK_NO_SKIPS": no_skips, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-p", "no:cacheprovider", folder],
        env={**os.environ, **changed},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout


def test_a_skip_fails_and_says_why(tmp_path: Path) -> None:
    status, output = run(tmp_path, TESTS, "1")
    assert status == 1
    assert output.splitlines()[-1].strip("= ").startswith("1 failed, 1 passed, 1 xfailed, 2 errors")
    for way in ("marked", "called", "fixture"):
        assert f"A test may not be skipped here (PACEMARK_NO_SKIPS=1). Skipped: no browser ({way})" in output


def test_a_file_that_skips_itself_fails_too(tmp_path: Path) -> None:
    status, output = run(tmp_path, WHOLE_FILE, "1")
    assert status == 2
    assert "A test may not be skipped here (PACEMARK_NO_SKIPS=1). Skipped: could not import 'no_such_browser'" in output


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    status, output = run(tmp_path, TESTS, "")
    assert status == 0
    assert output.splitlines()[-1].strip("= ").startswith("1 passed, 3 skipped, 1 xfailed")
