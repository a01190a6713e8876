"""A file that one can still read in one sitting: at most 300 lines, or a reason."""

from __future__ import annotations

from pathlib import Path

from .code import PACKAGES, ROOT, python_files

MOST_LINES = 300
# A list of laws with their cases is looked up in, not read from top to bottom.
MOST_LINES_OF_TESTS = 600
LONGER = {
    "domain/audits/model.py": "the tables of the largest room and their rows, column by column",
    "domain/sites/actions.py": "sites, pages, profiles and access: one short verb after another",
}


def longer_than(most: int, paths: list[Path]) -> set[str]:
    return {str(path) for path in paths if len(path.read_text(encoding="utf-8").splitlines()) > most}


def test_a_long_file_has_a_reason() -> None:
    # A migration is written once, by a tool, and never read from top to bottom.
    paths = [path for path in python_files(*PACKAGES, "bench") if path.parts[:2] != ("migrations", "versions")]
    found = longer_than(MOST_LINES, [ROOT / path for path in paths])
    assert {str(Path(path).relative_to(ROOT)) for path in found} == set(LONGER)


def test_a_suite_of_tests_is_about_one_thing() -> None:
    assert longer_than(MOST_LINES_OF_TESTS, [ROOT / path for path in python_files("tests")]) == set()


def test_a_line_too_many_is_seen(tmp_path: Path) -> None:
    (tmp_path / "fits.py").write_text("pass\n" * 300)
    (tmp_path / "long.py").write_text("pass\n" * 301)
    assert longer_than(300, [tmp_path / "fits.py", tmp_path / "long.py"]) == {str(tmp_path / "long.py")}
