"""What is committed holds on every machine: it names no package index's host and no path of somebody's computer."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from .code import ROOT, committed_files

# Written so that this file, committed too, does not match itself.
UNWANTED = re.compile(
    rb"(?:test\.|files\.)?py(?:pi\.org|thonhosted\.org)"
    rb"|registry\.(?:npmjs\.org|yarnpkg\.com)"
    rb"|(?:deb|security)\.debian\.org|archive\.ubuntu\.com"
    rb"|(?:index|static)\.crates\.io|proxy\.golang\.org"
    rb'|"resolve[d]": "http'
    rb"|--(?:extra-)?index-url"
    rb"|/home/[a-z_][a-z0-9_-]*/|/Users/[A-Za-z][A-Za-z0-9._-]*/|(?<![\w.])/roo[t]/"
)


def unwanted(text: bytes) -> Iterator[str]:
    here = f"{ROOT}/".encode()
    for number, line in enumerate(text.split(b"\n"), start=1):
        if match := UNWANTED.search(line):
            yield f"{number}: {match[0].decode()}"
        elif here in line:
            yield f"{number}: the path of this checkout"


def test_no_committed_file_names_an_index_or_a_machine() -> None:
    try:
        files = committed_files()
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("this copy of the house is no git checkout")
    assert files
    found = [f"{path}:{place}" for path in files for place in unwanted((ROOT / path).read_bytes())]
    assert found == []


def test_a_lock_file_with_addresses_is_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert "uv.lock" in ignored


@pytest.mark.parametrize(
    "words",
    [
        ("https://py", "pi.org/"),
        ("https://files.py", "thonhosted.org/packages"),
        ("https://registry.", "npmjs.org/react"),
        ('"resolved": ', '"https://example.test/react.tgz"'),
        ("pip install --index", "-url https://example.test"),
        ("/home/", "somebody/pacemark"),
        ("cd /ro", "ot/.cache"),
        (str(ROOT.parent), f"/{ROOT.name}/README.md"),
    ],
)
def test_an_unwanted_word_is_seen(words: tuple[str, str]) -> None:
    assert len(list(unwanted("".join(words).encode()))) == 1


def test_ordinary_paths_are_wanted() -> None:
    ordinary = ("/report/audit_018f", "/healthz", "../ro" + "ot/x", "https://example.test/users/1")
    assert list(unwanted(" ".join(ordinary).encode())) == []
