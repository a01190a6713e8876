"""graphql-core's own tests, from the source distribution of the version that is installed."""

from __future__ import annotations

import hashlib
import tarfile
import tomllib
from importlib.metadata import version
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[4]
_WANTED = ("tests", "pyproject.toml")


def unpack(kept: Path, to: Path) -> None:
    """Its tests and their settings. `kept` is where the archive lies, once it was fetched."""
    with tarfile.open(fileobj=BytesIO(_archive(kept))) as archive:
        for member in archive:
            parts = PurePosixPath(member.name).parts[1:]
            if member.isfile() and parts[0] in _WANTED and ".." not in parts:
                path = to.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                path.write_bytes(content.read())


def _archive(kept: Path) -> bytes:
    """From where uv found the package, which it wrote down with a hash when it made the environment."""
    source = _source()
    path = kept / f"graphql-core-{version('graphql-core')}.tar.gz"
    if path.exists() and _hash(path.read_bytes(), source) == source["hash"]:
        return path.read_bytes()
    with urlopen(source.get("url") or (ROOT / source["path"]).as_uri()) as response:
        content: bytes = response.read()
    assert _hash(content, source) == source["hash"], f"{source} is not what uv.lock says it is."
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
    return content


def _source() -> Any:
    lock = ROOT / "uv.lock"
    assert lock.exists(), "uv.lock tells where packages come from: `make test-all` has it written, as does `uv sync`."
    known = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    (found,) = [each for each in known if each["name"] == "graphql-core"]
    assert found["version"] == version("graphql-core"), "uv.lock and the environment differ: run `uv sync`."
    return found["sdist"]


def _hash(content: bytes, source: Any) -> str:
    kind = source["hash"].partition(":")[0]
    return f"{kind}:{hashlib.new(kind, content).hexdigest()}"
