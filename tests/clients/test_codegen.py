"""GraphQL Code Generator's persisted documents, pushed to a running Pacemark and asked for by the ids that it embeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients import expected
from tests.clients.driving import HERE, build
from tests.clients.house import OPERATIONS, House

pytestmark = pytest.mark.browser

SCHEMA = HERE.parents[1] / "schema.graphql"


def test_the_client_presets_documents_are_asked_for_by_their_ids(house: House, tmp_path: Path) -> None:
    key = house.make_client("codegen")
    preset = {"preset": "client", "presetConfig": {"persistedDocuments": True}}
    config = {"schema": str(SCHEMA), "documents": f"{OPERATIONS}/*.graphql", "generates": {f"{tmp_path}/gql/": preset}}
    (tmp_path / "codegen.json").write_text(json.dumps(config))
    build("graphql-codegen", "--config", str(tmp_path / "codegen.json"), at=HERE)  # where it finds the preset
    manifest = tmp_path / "gql" / "persisted-documents.json"
    assert house.push(manifest, "codegen") == "4 added, 0 unchanged, 0 refused."
    assert house.push(manifest, "codegen") == "0 added, 4 unchanged, 0 refused."
    ids = {text.split()[1].partition("(")[0]: id for id, text in json.loads(manifest.read_text()).items()}
    written = (tmp_path / "gql" / "graphql.ts").read_text()
    assert all(f'"hash":"{id}"' in written for id in ids.values())

    def ask(**asked: Any) -> Any:
        answer = httpx.post(house.url, json=asked, headers={"Authorization": f"Bearer {key}"}).json()
        return answer.get("errors") or {"data": answer["data"]}

    assert ask(documentId=ids["Viewer"]) == {"data": {"viewer": {"key": {"name": "codegen"}}}}
    (audit,) = ask(documentId=ids["Ask"], variables={"input": house.wish})["data"]["auditRequest"].values()
    assert audit["state"] == "QUEUED"
    house.finish(audit["id"])
    assert ask(documentId="nothing") == [expected.NOT_IN_LIST]
    assert ask(query="{ __typename }") == [expected.ID_REQUIRED]
