"""Finds the programs that a Lighthouse run needs: Node.js, the `lighthouse` package and Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.measuring import EngineFailure, FailureKind

MIN_NODE = 20
MIN_LIGHTHOUSE = 10

_CHROMES = (
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


@dataclass(frozen=True, slots=True)
class Installation:
    """`lighthouse` is the folder of the npm package, the others are programs."""

    node: Path
    lighthouse: Path
    chrome: Path
    version: str


def find_lighthouse(lighthouse: Path | None = None, chrome: Path | None = None, node: Path | None = None) -> Installation:
    """What the settings name, else what this machine has (PATH, `node_modules`, npx's cache, CHROME_PATH).

    Blocks for up to a few seconds. Raises EngineFailure NODE_NOT_FOUND, NODE_TOO_OLD, LIGHTHOUSE_NOT_FOUND,
    LIGHTHOUSE_TOO_OLD or CHROME_NOT_FOUND, each saying how to get what is missing.
    """
    found_node = _find_node(node)
    package, version = _find_package(lighthouse)
    return Installation(found_node, package, _find_chrome(chrome), version)


def _missing(code: str, message: str) -> EngineFailure:
    return EngineFailure(FailureKind.CONFIGURATION, code, message)


def _program(*candidates: str | Path | None) -> Path | None:
    found = (shutil.which(candidate) for candidate in candidates if candidate)
    return next((Path(path).absolute() for path in found if path), None)


def _answer(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - our own words
    return done.stdout.strip()


def _find_node(setting: Path | None) -> Path:
    node = _program(setting) if setting else _program("node", "nodejs")
    if node is None:
        where = "at the path that the settings name" if setting else "on this machine"
        raise _missing(
            "NODE_NOT_FOUND",
            f"Lighthouse needs Node.js, which was not found {where}. Install Node.js 22 or newer from nodejs.org.",
        )
    try:
        major = int(_answer([str(node), "--version"]).removeprefix("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise _missing("NODE_NOT_FOUND", "The program found as Node.js does not answer `node --version`.") from error
    if major < MIN_NODE:
        raise _missing("NODE_TOO_OLD", f"Lighthouse needs Node.js 22 or newer; version {major} was found.")
    return node


def _find_chrome(setting: Path | None) -> Path:
    chrome = _program(setting) if setting else _program(os.environ.get("CHROME_PATH"), *_CHROMES)
    if chrome is None:
        where = "at the path that the settings name" if setting else "on this machine"
        raise _missing(
            "CHROME_NOT_FOUND",
            f"Lighthouse needs Chromium or Chrome, which was not found {where}. Install it "
            "(on Debian: apt-get install chromium), or set CHROME_PATH to the program.",
        )
    return chrome


def _find_package(setting: Path | None) -> tuple[Path, str]:
    for path in [setting] if setting else _places():
        found = _package(path)
        if found is None:
            continue
        if int(found[1].split(".")[0]) < MIN_LIGHTHOUSE:
            raise _missing("LIGHTHOUSE_TOO_OLD", f"Lighthouse {MIN_LIGHTHOUSE} or newer is needed; {found[1][:20]} was found.")
        return found
    where = "at the path that the settings name" if setting else "on this machine"
    raise _missing(
        "LIGHTHOUSE_NOT_FOUND",
        f"Lighthouse was not found {where}. Install it with: npm install --global lighthouse@13",
    )


def _places() -> Iterator[Path]:
    program = _program("lighthouse")
    if program:
        yield program
    yield from (folder / "node_modules" / "lighthouse" for folder in (Path.cwd(), *Path.cwd().parents))
    cached = _cached_by_npx()
    if cached:
        yield cached


def _cached_by_npx() -> Path | None:
    """Where npx would take the program from without a network: a project's folder or its own cache."""
    npx = _program("npx")
    if npx is None:
        return None
    try:
        answer = _answer([str(npx), "--no-install", "--offline", "--package", "lighthouse", "-c", "command -v lighthouse"])
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(answer) if answer else None


def _package(path: Path) -> tuple[Path, str] | None:
    """The package's folder and version, from that folder, from a program inside it, or from a link to that program."""
    start = path.expanduser().resolve()
    for folder in (start, *start.parents):
        try:
            manifest = json.loads((folder / "package.json").read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(manifest, dict) and manifest.get("name") == "lighthouse":
            version = str(manifest.get("version", ""))
            return (folder, version) if version.split(".")[0].isdigit() else None
    return None
