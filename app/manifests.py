"""What clients' build tools write of their operations, recognised by its shape: manifests, and folders of documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from app.auditing.plain import plain
from app.errors import Unusable
from domain.base import UNSTORABLE

MAX_BYTES = 64 * 1024 * 1024
APOLLO = "apollo-persisted-query-manifest"
ENDING = ".graphql"
SHAPES = f'Apollo\'s {{"format": "{APOLLO}", …}}, or {{"<id>": "<document>", …}} as Relay and graphql-codegen write it'


class Entry(NamedTuple):
    """One document under the id by which its client will ask for it; `refusal` says why it is not this client's."""

    id: str
    text: str
    refusal: str | None = None


class _Twice(ValueError):  # noqa: N818 - what is there, and how often
    """The name that an object has twice, with two values: JSON's readers would take either."""


def load(path: Path, client: str | None) -> Sequence[Entry]:
    """The documents of a manifest, or of a folder of .graphql files, for one client or for none. Raises Unusable."""
    try:
        if path.is_dir():
            return folder(str(path), {each.name: _content(each) for each in sorted(path.glob(f"*{ENDING}"))})
        return parse(str(path), _content(path), client)
    except OSError as error:
        raise Unusable(f"{_shown(str(path))} cannot be read: {error.strerror}.") from None


def folder(name: str, files: Mapping[str, bytes]) -> Sequence[Entry]:
    """Of the files' contents by their names, which without the ending are the ids. Raises Unusable."""
    if not files:
        raise Unusable(f"{_shown(name)} holds no document: it needs files such as <id>{ENDING}.")
    return [Entry(file.removesuffix(ENDING), _decoded(data, f"{name}/{file}")) for file, data in files.items()]


def parse(name: str, data: bytes, client: str | None) -> Sequence[Entry]:
    """Of a manifest's content. Raises Unusable with the file's name, the place in it, and what would be right."""
    said = _json(name, data)
    if not isinstance(said, dict):
        raise Unusable(f"{_shown(name)} is no manifest: it must be {SHAPES}.")
    is_map = all(isinstance(said.get(part, ""), str) for part in ("operations", "version")) and said.get("format") != APOLLO
    entries = list(_map(name, said) if is_map else _apollo(name, said, client))
    if not entries:
        raise Unusable(f"{_shown(name)} holds no document.")
    return _once(name, entries)


def _apollo(name: str, said: Mapping[str, Any], client: str | None) -> Iterator[Entry]:
    if said.get("format") != APOLLO:
        raise Unusable(f'{_shown(name)}: format must be "{APOLLO}".')
    if said.get("version") != 1:
        raise Unusable(f"{_shown(name)}: version must be 1, the only one that is known here.")
    operations = said.get("operations")
    if not isinstance(operations, list):
        raise Unusable(f'{_shown(name)}: operations must be a list of {{"id": …, "body": …}}.')
    for number, operation in enumerate(operations):
        place = f"operations[{number}]"
        if not isinstance(operation, dict):
            raise Unusable(f'{_shown(name)}: {place} must be an object, such as {{"id": …, "body": …}}.')
        id, body = (_text(name, f"{place}.{part}", operation.get(part)) for part in ("id", "body"))
        meant = operation.get("clientName")
        yield Entry(id, body, _for_another(_text(name, f"{place}.clientName", meant), client) if meant is not None else None)


def _map(name: str, said: Mapping[str, Any]) -> Iterator[Entry]:
    for id, text in said.items():
        if not isinstance(text, str):
            raise Unusable(f"{_shown(name)} is no manifest: {_shown(id)} has no text. It must be {SHAPES}.")
        yield Entry(_text(name, f"the id {_shown(id)}", id), _text(name, f"the document {_shown(id)}", text))


def _for_another(meant: str, client: str | None) -> str | None:
    return None if meant == client else f"The manifest has it for the client {_shown(meant)}: push it for that one."


def _once(name: str, entries: Iterable[Entry]) -> Sequence[Entry]:
    """Each id once: several clients may have the same one, each for a document of its own. Raises Unusable."""
    found: dict[str, Entry] = {}
    for entry in entries:
        known = found.setdefault(entry.id, entry)
        if known.refusal is not None:
            found[entry.id] = entry
        elif entry.refusal is None and entry.text != known.text:
            raise Unusable(f"{_shown(name)}: the id {_shown(entry.id)} names two different documents.")
    return list(found.values())


def _json(name: str, data: bytes) -> Any:
    try:
        return json.loads(_decoded(data, name), object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        hint = " To push a folder of .graphql files, name the folder." if name.endswith(ENDING) else ""
        raise Unusable(f"{_shown(name)} is no JSON: {error.msg}, line {error.lineno}, column {error.colno}.{hint}") from None
    except _Twice as twice:
        raise Unusable(f"{_shown(name)}: {_shown(str(twice))} stands twice in one object, with two values.") from None
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        raise Unusable(f"{_shown(name)} is no manifest: it must be {SHAPES}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if made.setdefault(key, value) != value:
            raise _Twice(key)
    return made


def _text(name: str, place: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unusable(f"{_shown(name)}: {place} must be a text with something in it.")
    if UNSTORABLE.search(value):
        raise Unusable(f"{_shown(name)}: {place} holds U+0000 or a lone surrogate, which no document can.")
    return value


def _decoded(data: bytes, name: str) -> str:
    """Without the mark that some editors put first; a document's own line ends stay, they are part of its hash."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable(f"{_shown(name)} is not in UTF-8: byte {error.start + 1} belongs to no character.") from None
    return _text(name, "the file", text)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Unusable(f"{_shown(str(path))} is larger than {MAX_BYTES // 1024 // 1024} MiB: that is no manifest.")
    return data


def _shown(text: str) -> str:
    """Somebody else's text in a sentence of ours."""
    return f"'{plain(text, 120)}'"
