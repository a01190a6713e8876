"""Manifests as the build tools write them, each recognised by its shape; and what is said of those that are none."""

from __future__ import annotations

import json
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any

import pytest

from app.errors import Unusable
from app.manifests import APOLLO, MAX_BYTES, Entry, folder, load, parse

GET = "query GetItem($id: ID!) {\n  item(id: $id) {\n    id\n    __typename\n  }\n}"
ADD = "mutation AddItem {\n  add {\n    id\n  }\n}\n"
HASH = sha256(GET.encode()).hexdigest()


def apollo(*operations: Any, **changed: Any) -> dict[str, Any]:
    return {"format": APOLLO, "version": 1, "operations": list(operations), **changed}


def operation(id: str = HASH, body: str = GET, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": "GetItem", "type": "query", "body": body, **more}


def read(said: Any, client: str | None = None) -> list[Entry]:
    return list(parse("manifest.json", json.dumps(said).encode(), client))


def refusal(said: Any) -> str:
    with pytest.raises(Unusable) as refused:
        parse("manifest.json", said if isinstance(said, bytes) else json.dumps(said).encode(), None)
    return str(refused.value)


def test_apollos_manifest_is_read() -> None:
    other = operation("custom id", ADD, clientName=None)
    assert read(apollo(operation(), other)) == [Entry(HASH, GET), Entry("custom id", ADD)]


def test_an_operation_of_another_client_is_refused_and_the_others_are_not() -> None:
    manifest = apollo(operation("a"), operation("b", clientName="web"), operation("c", clientName="ios"))
    ios = "The manifest has it for the client 'ios': push it for that one."
    assert read(manifest, "web") == [Entry("a", GET), Entry("b", GET), Entry("c", GET, ios)]
    assert [entry.refusal is None for entry in read(manifest)] == [True, False, False]


@pytest.mark.parametrize("order", [("web", "ios"), ("ios", "web")])
def test_two_clients_may_have_one_id_for_two_documents(order: tuple[str, str]) -> None:
    texts = {"web": GET, "ios": ADD}
    manifest = apollo(*(operation("same", texts[name], clientName=name) for name in order))
    assert read(manifest, "web") == [Entry("same", GET)]
    assert read(manifest, "ios") == [Entry("same", ADD)]


@pytest.mark.parametrize(
    "id",
    [
        md5(ADD.encode(), usedforsecurity=False).hexdigest(),  # Relay's default
        sha1(ADD.encode(), usedforsecurity=False).hexdigest(),  # graphql-codegen's
        f"sha256:{sha256(ADD.encode()).hexdigest()}",
        "app~1.0~abc",
    ],
)
def test_a_map_of_ids_and_documents_is_read_whatever_its_ids_are(id: str) -> None:
    assert read({id: ADD, HASH: GET}) == [Entry(id, ADD), Entry(HASH, GET)]


def test_a_map_may_have_ids_that_are_words_of_apollos() -> None:
    assert read({"format": GET, "operations": ADD, "version": GET}) == [
        Entry("format", GET),
        Entry("operations", ADD),
        Entry("version", GET),
    ]


def test_a_byte_order_mark_is_nothing() -> None:
    assert parse("m.json", b"\xef\xbb\xbf" + json.dumps({"a": GET}).encode(), None) == [Entry("a", GET)]


def test_a_folder_has_a_document_a_file_under_its_name(tmp_path: Path) -> None:
    (tmp_path / f"{HASH}.graphql").write_bytes(GET.encode())
    (tmp_path / "add.item.graphql").write_bytes(ADD.replace("\n", "\r\n").encode())
    (tmp_path / "README.md").write_text("no document")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "deep.graphql").write_text(GET)
    assert load(tmp_path, "web") == [Entry(HASH, GET), Entry("add.item", ADD.replace("\n", "\r\n"))]


def test_a_file_is_read_from_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "persisted-documents.json"
    path.write_text(json.dumps({"a": GET}))
    assert load(path, None) == [Entry("a", GET)]


SHAPES = (
    'Apollo\'s {"format": "apollo-persisted-query-manifest", …}, or {"<id>": "<document>", …} '
    "as Relay and graphql-codegen write it"
)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([], f"'manifest.json' is no manifest: it must be {SHAPES}."),
        ("text", f"'manifest.json' is no manifest: it must be {SHAPES}."),
        (b"[" * 100_000, f"'manifest.json' is no manifest: it must be {SHAPES}."),
        (b'{"version": ' + b"1" * 5_000 + b"}", f"'manifest.json' is no manifest: it must be {SHAPES}."),
        (b'{\n  "a" "{ b }"}', "'manifest.json' is no JSON: Expecting ':' delimiter, line 2, column 7."),
        (b'{"a": "\xff"}', "'manifest.json' is not in UTF-8: byte 8 belongs to no character."),
        (b" \n", "'manifest.json': the file must be a text with something in it."),
        ({}, "'manifest.json' holds no document."),
        (apollo(), "'manifest.json' holds no document."),
        (apollo(format="other"), f"'manifest.json': format must be \"{APOLLO}\"."),
        (apollo(version=2), "'manifest.json': version must be 1, the only one that is known here."),
        (apollo(operations={}), '\'manifest.json\': operations must be a list of {"id": …, "body": …}.'),
        ({"format": APOLLO}, "'manifest.json': version must be 1, the only one that is known here."),
        (apollo(operation(), GET), '\'manifest.json\': operations[1] must be an object, such as {"id": …, "body": …}.'),
        (apollo(operation(body="")), "'manifest.json': operations[0].body must be a text with something in it."),
        (apollo(operation(id=5)), "'manifest.json': operations[0].id must be a text with something in it."),
        (apollo(operation(clientName=5)), "'manifest.json': operations[0].clientName must be a text with something in it."),
        (
            apollo(operation(body="{ a }\x00")),
            "'manifest.json': operations[0].body holds U+0000 or a lone surrogate, which no document can.",
        ),
        (
            b'{"\\ud800": "{ a }"}',
            "'manifest.json': the id '\N{REPLACEMENT CHARACTER}' holds U+0000 or a lone surrogate, which no document can.",
        ),
        ({"a": GET, "b": 5}, f"'manifest.json' is no manifest: 'b' has no text. It must be {SHAPES}."),
        ({"": GET}, "'manifest.json': the id '' must be a text with something in it."),
        ({"a": " "}, "'manifest.json': the document 'a' must be a text with something in it."),
        (apollo(operation("a"), operation("a", ADD)), "'manifest.json': the id 'a' names two different documents."),
        (b'{"a": "{ b }", "a": "{ c }"}', "'manifest.json': 'a' stands twice in one object, with two values."),
        (
            {"\x1b[31m": 1},
            f"'manifest.json' is no manifest: '\N{REPLACEMENT CHARACTER}[31m' has no text. It must be {SHAPES}.",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_would_be_right(said: Any, sentence: str) -> None:
    assert refusal(said) == sentence


def test_the_same_twice_is_once() -> None:
    assert read(apollo(operation(), operation())) == [Entry(HASH, GET)]
    assert parse("m.json", b'{"a": "{ b }", "a": "{ b }"}', None) == [Entry("a", "{ b }")]


def test_a_single_document_is_no_manifest_and_its_folder_would_be() -> None:
    with pytest.raises(Unusable) as refused:
        parse("item.graphql", GET.encode(), None)
    assert str(refused.value).endswith(" To push a folder of .graphql files, name the folder.")


def test_files_that_are_not_there_or_too_large_or_empty_are_sentences(tmp_path: Path) -> None:
    for path, sentence in [
        (tmp_path / "none.json", "cannot be read: No such file or directory."),
        (tmp_path, "holds no document: it needs files such as <id>.graphql."),
    ]:
        with pytest.raises(Unusable) as refused:
            load(path, None)
        assert str(refused.value) == f"'{path}' {sentence}"
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(Unusable, match="is larger than 64 MiB: that is no manifest"):
        load(tmp_path / "large.json", None)


def test_a_file_of_a_folder_that_is_no_text_is_named() -> None:
    for data, sentence in [
        (b"\xff", "'documents/a.graphql' is not in UTF-8: byte 1 belongs to no character."),
        (b"", "'documents/a.graphql': the file must be a text with something in it."),
    ]:
        with pytest.raises(Unusable) as refused:
            folder("documents", {"a.graphql": data})
        assert str(refused.value) == sentence
