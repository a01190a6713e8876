"""The house as text: its files and their syntax trees, for the rules that no other tool checks."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "graph", "infra", "domain", "migrations")


def python_files(*folders: str) -> Iterator[Path]:
    """Paths below the root, in a stable order."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT)


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def rooms() -> dict[str, set[str]]:
    """The domain's rooms, and the modules behind each one's door."""
    doors = sorted((ROOT / "domain").glob("*/__init__.py"))
    return {door.parent.name: {file.stem for file in door.parent.glob("*.py")} - {"__init__"} for door in doors}


def public_coroutines(module: ast.Module) -> Iterator[ast.AsyncFunctionDef]:
    for node in module.body:
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def committed_files() -> list[Path]:
    """What git keeps of this checkout. Raises CalledProcessError outside one."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]
