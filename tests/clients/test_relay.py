"""Relay's compiler, which registers at an address or writes a map, and its runtime, against a running Pacemark."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest

from tests.clients import expected
from tests.clients.driving import HERE, build, told
from tests.clients.house import House

pytestmark = pytest.mark.browser

SCHEMA = HERE.parents[1] / "schema.graphql"


def compiled(at: Path, persisting: Mapping[str, Any]) -> Path:
    """The folder of what the compiler writes with this `persistConfig`."""
    shutil.copytree(HERE / "relay", at / "src")
    shutil.copy(SCHEMA, at)
    (at / "package.json").write_text('{"type": "module"}')
    config = {"src": "src", "schema": "schema.graphql", "language": "javascript", "eagerEsModules": True}
    written = {**config, "artifactDirectory": "written", "persistConfig": persisting}
    (at / "relay.config.json").write_text(json.dumps(written))
    (at / "written").mkdir()
    build("relay-compiler", at=at)
    return at / "written"


def assert_works(house: House, key: str, folder: Path, name: str) -> list[str]:
    """With the ids alone, which are returned."""
    said = told("relay.mjs", "operations", url=house.url, key=key, folder=str(folder), wish=house.wish)
    expected.assert_answered(said["viewer"], said["payload"], said["progress"], key=name)
    assert [text for _, text in said["sent"]] == [None] * 3
    return [id for id, _ in said["sent"]]


def test_documents_that_the_compiler_registered_are_asked_for_by_the_ids_that_it_embeds(house: House, tmp_path: Path) -> None:
    key = house.make_client("relay")
    headers, params = {"Authorization": f"Bearer {house.key}"}, {"client": "relay", "version": "1.0.0"}
    folder = compiled(tmp_path, {"url": f"{house.url}/persist", "headers": headers, "params": params})
    ids = assert_works(house, key, folder, "relay")
    assert {id.partition(":")[0] for id in ids} == {"sha256"}


def test_a_map_that_the_compiler_wrote_is_pushed_and_asked_for(house: House, tmp_path: Path) -> None:
    key = house.make_client("relay with a file")
    (tmp_path / "persisted.json").write_text("{}")
    folder = compiled(tmp_path, {"file": "persisted.json"})
    assert house.push(tmp_path / "persisted.json", "relay with a file") == "3 added, 0 unchanged, 0 refused."
    ids = assert_works(house, key, folder, "relay with a file")
    texts = json.loads((tmp_path / "persisted.json").read_text())
    assert ids == [md5(texts[id].encode()).hexdigest() for id in ids]


def test_what_is_refused_is_shown_by_the_compiler(house: House, tmp_path: Path) -> None:
    headers = {"Authorization": f"Bearer {house.key}"}
    message = "Persisting failed: This workspace has no client of the name that `client` gives."
    with pytest.raises(AssertionError, match=message):
        compiled(tmp_path, {"url": f"{house.url}/persist", "headers": headers, "params": {"client": "nobody"}})
