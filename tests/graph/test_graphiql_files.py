"""GraphiQL's committed build is whole, asks no other host, holds the docs' examples, and carries its packages' licences."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate

from graph.transports import graphiql

SOURCE = Path(graphiql.__file__).with_name("source")
ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(ROOT.glob("docs/examples/*.graphql"))
MEGABYTE = 1_000_000
ENTRY = re.compile(r"^={80}\n(?P<name>\S+) \d\S* \((?P<licence>[^)]+)\)\n(?P<text>\n[^=\s])?", re.MULTILINE)


class Tags(HTMLParser):
    """Gathers the page's tags with their attributes, and the text inside its scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture(scope="module")
def tags() -> Tags:
    return Tags(graphiql.page())


def assets(*suffixes: str) -> list[Path]:
    return [path for path in sorted((graphiql.STATIC / "assets").iterdir()) if path.suffix in suffixes]


def test_the_page_is_pacemarks() -> None:
    assert graphiql.page().startswith("<!doctype html>")
    assert "<title>Pacemark GraphiQL</title>" in graphiql.page()


def test_every_file_the_page_names_is_under_graphiql_and_there(tags: Tags) -> None:
    named = [value for _, attributes in tags.tags for name in ("src", "href") if (value := attributes.get(name))]

    assert len(named) >= 3
    for address in named:
        assert address.startswith("/graphiql/assets/")
        assert (graphiql.STATIC / address.removeprefix("/graphiql/")).is_file(), address


def test_every_chunk_and_worker_that_a_script_names_is_there() -> None:
    name = re.compile(r"[\"'`](?:\./|/graphiql/assets/|assets/)([\w.-]+-[\w-]{8}\.(?:js|css|ttf))[\"'`]")
    named = {match for script in assets(".js") for match in name.findall(script.read_text(encoding="utf-8"))}

    assert {part.split("-")[0] for part in named} >= {"graphql.worker", "json.worker", "editor.worker", "monaco"}
    assert named <= {path.name for path in assets(".js", ".css", ".ttf")}


def test_nothing_in_the_page_needs_an_inline_script_or_style(tags: Tags) -> None:
    assert tags.inline == []
    assert not [name for _, attributes in tags.tags for name in attributes if name == "style" or name.startswith("on")]


def test_no_style_loads_anything_from_elsewhere() -> None:
    for path in assets(".css"):
        loaded = re.findall(r"url\(\s*[\"']?([^\"')]+)", path.read_text(encoding="utf-8"))
        assert not [url for url in loaded if not url.startswith(("data:", "/graphiql/", "#"))], path.name
        assert "@import" not in path.read_text(encoding="utf-8")


def test_the_content_policy_names_no_other_host() -> None:
    assert "default-src 'none'" in graphiql.CONTENT_SECURITY_POLICY
    assert not re.search(r"https?:|\*|unsafe-eval|script-src[^;]*unsafe", graphiql.CONTENT_SECURITY_POLICY)


def test_the_build_is_small_and_has_no_source_maps() -> None:
    files = [path for path in graphiql.STATIC.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) < 7.2 * MEGABYTE
    assert not [path for path in files if path.suffix == ".map"]
    assert not [path for path in assets(".js", ".css") if b"sourceMappingURL=" in path.read_bytes()[-200:]]


def test_every_bundled_package_comes_with_the_text_of_its_licence() -> None:
    text = (graphiql.STATIC / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    entries = {match["name"]: match["licence"] for match in ENTRY.finditer(text)}

    assert not [match["name"] for match in ENTRY.finditer(text) if not match["text"]]
    assert entries.keys() >= {"graphiql", "graphql", "graphql-sse", "graphql-ws", "monaco-editor", "react", "react-dom"}
    assert set(entries.values()) <= {"MIT", "Apache-2.0", "BSD-2-Clause", "0BSD"}
    manifest = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    assert entries.keys() >= manifest["devDependencies"].keys() - {"vite"}


def test_the_lock_file_names_every_package_by_its_hash_and_no_registry() -> None:
    packages = json.loads((SOURCE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    installed = {name: package for name, package in packages.items() if name}

    assert not [name for name, package in installed.items() if "resolved" in package]
    assert not [name for name, package in installed.items() if not package.keys() & {"integrity", "inBundle"}]


def test_the_build_holds_the_examples_of_the_docs_as_they_are() -> None:
    """After a change of an example: `make graphiql`."""
    built = json.loads((graphiql.STATIC / "examples.json").read_text(encoding="utf-8"))

    assert built == {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES}


def test_every_operation_of_the_examples_has_a_name_of_its_own() -> None:
    definitions = [definition for path in EXAMPLES for definition in parse(path.read_text(encoding="utf-8")).definitions]
    operations = [definition for definition in definitions if isinstance(definition, OperationDefinitionNode)]
    names = [operation.name.value for operation in operations if operation.name]

    assert len(set(names)) == len(operations)


def test_the_starter_tabs_are_a_valid_operation_and_two_of_the_examples() -> None:
    source = (SOURCE / "starters.js").read_text(encoding="utf-8")
    schema = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    examples = {path.name: path.read_text(encoding="utf-8") for path in EXAMPLES}

    assert validate(schema, parse(source.split("`")[1])) == []
    assert re.findall(r"example\('(\w+)'\)", source) == ["AuditUrl", "WatchIt"]
    assert "mutation AuditUrl(" in examples["audit_a_url.graphql"]
    assert "subscription WatchIt(" in examples["watch_it.graphql"]
