"""What is built is enough: the wheel, installed into an empty environment far from the checkout, does its whole work."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.running import pacemark, staying
from tests.infra.engines.local_site import Page, site

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 100


def uv() -> Path:
    """The machine's, else the one that the Makefile brought."""
    for candidate in (shutil.which("uv"), ROOT / ".uv" / "bin" / "uv"):
        if candidate and subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
            return Path(candidate)
    raise FileNotFoundError("there is no uv; `make` brings one")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`pacemark` in an environment that holds the wheel and what it asks for, in the versions that we pin."""
    folder = tmp_path_factory.mktemp("empty")
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    (folder / "pins.txt").write_text("\n".join(pins))
    for words in (
        ("venv", "--quiet", "--python", sys.executable, "env"),
        ("pip", "install", "--quiet", "--python", "env", "--constraint", "pins.txt", str(wheel)),
    ):
        done = subprocess.run([uv(), *words], cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
    yield folder / "env" / "bin" / "pacemark"
    shutil.rmtree(folder)


def test_the_wheel_holds_what_is_served_and_not_what_it_was_built_from(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "graph/transports/graphiql/static/index.html",
        "graph/transports/graphiql/static/THIRD_PARTY_LICENSES.txt",
        "app/doors/pages/templates/pages.js",
        "app/pages.css",
        "app/report/templates/report.html",
        "infra/engines/lighthouse/run.mjs",
        "migrations/env.py",
    } <= names
    unwanted = ("graph/transports/graphiql/source/", "tests/", "bench/", "node_modules/")
    assert [name for name in names if name.startswith(unwanted) or "/node_modules/" in name] == []


def test_up_and_audit_work_far_from_the_checkout(program: Path, tmp_path: Path) -> None:
    with site() as pages:
        pages.pages["/"] = Page(b"<!doctype html><title>t</title><h1>Hello</h1>")
        with staying(tmp_path, "up", "--data", "data", program=program) as server:
            page = httpx.get(server.url, headers={"Accept": "text/html"})
            asset = page.text.split('src="')[1].split('"')[0]
            assert httpx.get(server.base + asset).status_code == 200
            done = pacemark(tmp_path, "audit", pages.origin + "/", "--data", "data", program=program)
            assert done.returncode == 0, done.stderr
            assert "good ≤ 800 ms" in done.stdout
            report = next(line for line in done.stdout.splitlines() if line.startswith("Report")).split()[-1]
            assert httpx.get(report).status_code == 200
            sites = '{ workspace(slug: "default") { sites { nodes { origin } } } }'
            assert server.query(sites)["workspace"]["sites"]["nodes"] == [{"origin": pages.origin}]
        alone = pacemark(tmp_path, "audit", pages.origin + "/", "--data", "other", "--json", program=program)
        assert alone.returncode == 0, alone.stderr
