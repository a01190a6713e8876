"""`pacemark explain`: how an operation is executed, shown without executing it."""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from graphql import GraphQLObjectType, get_named_type, is_abstract_type, is_composite_type, is_required_argument

from app import cli
from graph.batched import read_of
from graph.execution.explaining import explain
from graph.operations import documents_of
from graph.schema import schema

Run = Callable[..., tuple[object, str, str]]

ROOT = Path(__file__).parents[2]
WORKLOADS = ROOT / "bench" / "workloads"
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.graphql"))
PAGE = "query Page($id: ID!) { page(id: $id) { name } }"
PAGE_ID = "page_" + "0" * 31 + "1"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, standard output and standard error, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PACEMARK_DATA", str(tmp_path))

    def run(*words: str | Path) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch(["explain", *map(str, words)])
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def text(run: Run, tmp_path: Path) -> Run:
    """The same for a document that is no file yet."""

    def text(document: str, *words: str) -> tuple[object, str, str]:
        (tmp_path / "document.graphql").write_text(document)
        return run("document.graphql", *words)

    return text


def part(out: str, title: str) -> str:
    """What stands under a heading."""
    (_, after) = re.split(rf"^{title}\b.*\n", out, maxsplit=1, flags=re.MULTILINE)
    return re.split(r"^(?:Plan|Batches|SQL|Cost|Python)\b", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(table: str) -> list[list[str]]:
    """The cells of each line."""
    lines = [re.split(r" {2,}", line.strip(" │├└")) for line in table.splitlines()[1:]]
    return [cells for cells in lines if cells != [""] and not cells[0].startswith("─")][1:]


def shown(done: tuple[object, str, str]) -> str:
    code, out, err = done
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 120
    return out


def test_a_lookup_is_explained_and_nothing_is_made_for_it(run: Run, tmp_path: Path) -> None:
    out = shown(run(WORKLOADS / "lookup.graphql"))
    assert list(tmp_path.iterdir()) == []
    assert out.startswith("query Lookup\nNot given by --variables, so that others stand in for it here: $id.\n")
    plan = rows(part(out, "Plan"))
    assert plan[0] == ["page", "Page", "loader page, batch 1", "1"]
    assert ["id", "ID!", "inline 'page_' and its id"] in plan
    assert ["name", "String!", "inline name"] in plan
    assert ["latestAudit", "Audit", "loader latest_audit, batch 2", "1"] in plan
    assert ["cls", "Float", "inline cls"] in plan
    assert "└ metrics" in out
    batches = rows(part(out, "Batches"))
    assert batches[0] == ["1", "page", "page", "1 key", "all"]
    assert batches[1][:5] == ["2", "latest_audit", "page.latestAudit", "1 key", "with 1"]
    columns = " ".join(cell for cells in [batches[1][5:], *batches[2:]] for cell in cells)
    assert columns == "cls finished_at id lcp_ms performance_score state tbt_ms"
    assert ["cost", "3", "50,000"] in rows(part(out, "Cost"))
    assert ["fields", "14", "2,000"] in rows(part(out, "Cost"))


def test_the_sql_is_that_of_the_configured_database(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite = part(shown(run(WORKLOADS / "dashboard.graphql")), "SQL")
    assert "json_each(?)" in sqlite
    assert "$1" not in sqlite
    monkeypatch.setenv("PACEMARK_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("PACEMARK_NATS_URL", "nats://127.0.0.1:1")
    postgres = part(shown(run(WORKLOADS / "dashboard.graphql")), "SQL")
    assert "json_each" not in postgres
    assert "WHERE workspaces.slug = ANY ($1::TEXT[])" in postgres


def test_lists_under_a_list_are_read_by_the_statement_for_many_parents(run: Run) -> None:
    out = shown(run(WORKLOADS / "dashboard.graphql"))
    batches = rows(part(out, "Batches"))
    assert [batch[1:5] for batch in batches if batch[0].isdigit()] == [
        ["workspace_by_slug", "workspace", "1 key", "all"],
        ["sites_of_workspace", "workspace.sites", "1 key", "after 1"],
        ["pages_of_site", "workspace.sites.nodes.pages", "20 keys", "after 2"],
        ["latest_audit", "workspace.sites.nodes.pages.nodes.latestAudit", "200 keys", "after 3"],
    ]
    _, sites, pages, _ = re.split(r"\n\n", part(out, "SQL").strip())
    assert ("sites.workspace_id = ?" in sites, 'AS "each"' in sites) == (True, False)
    assert ("pages.site_id = ?" in pages, 'AS "each"' in pages) == (False, True)


def test_a_history_has_its_columns_alone(run: Run) -> None:
    sql = part(shown(run(WORKLOADS / "history.graphql")), "SQL")
    assert "audits.requested_at" in sql
    assert "audits.final_url" not in sql
    assert ["cost", "203", "50,000"] in rows(part(shown(run(WORKLOADS / "history.graphql")), "Cost"))


def test_variables_decide_how_much_there_is(text: Run) -> None:
    document = "query Q($slug: String!, $first: Int!) { workspace(slug: $slug) { sites(first: $first) { nodes { id } } } }"
    out = shown(text(document, "--variables", '{"slug": "a", "first": 7}'))
    assert "Not given" not in out
    assert ["nodes", "[Site!]!", "read a function of the object", "7"] in rows(part(out, "Plan"))
    assert ["cost", "9", "50,000"] in rows(part(out, "Cost"))
    assert "here: $slug, $first.\n" in shown(text(document))


def test_the_python_is_what_was_written_and_holds_no_text_of_the_document_but_as_literals(text: Run) -> None:
    document = "query Q($id: ID!) { __import__: page(id: $id) { exec: name os: __typename page: site { id } } }"
    out = shown(text(document, "--code"))
    code = part(out, "Python")
    functions = [each for each in ast.parse(code).body if isinstance(each, ast.FunctionDef)]
    assert [each.name for each in functions] == ["read", "read", "read"]
    names = {each.id.rstrip("0123456789") for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Name)}
    assert names == {"sources", "source", "outs", "add", "v", "str", "coerce"}
    attributes = {each.attr for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Attribute)}
    assert attributes == {"append", "name", "__class__", "id", "hex"}
    assert re.findall(r"^#.*", code, re.MULTILINE) == [
        "# Query at 'the root'",
        "# Page at '__import__'",
        "# Site at '__import__.page'",
    ]
    assert "\nPython" not in shown(text(document))


@pytest.mark.parametrize("workload", ["lookup", "history", "list", "dashboard", "introspection"])
def test_the_python_of_the_workloads_compiles(run: Run, workload: str) -> None:
    code = run(WORKLOADS / f"{workload}.graphql", "--code")[1]
    compile(part(code, "Python"), "<plan>", "exec")


def test_what_is_behind_an_interface_is_told_type_by_type(text: Run) -> None:
    document = "query Q($id: ID!) { node(id: $id) { id ... on Audit { page { id } } ... on Page { latestAudit { id } } } }"
    out = shown(text(document))
    plan = rows(part(out, "Plan"))
    others = len(CORE.get_possible_types(CORE.type_map["Node"])) - 3  # type: ignore[arg-type]  # an interface
    assert plan[0] == ["node", "Node", "resolver called once for each object", "1"]
    assert [cells[0] for cells in plan if cells[0].startswith("…")] == [
        "… on Page",
        "… on Audit",
        f"… on Alert and {others} more",
    ]
    assert ["latestAudit", "Audit", "loader latest_audit, batch 1", "1"] in plan
    assert ["page", "Page!", "loader page, batch 2", "1"] in plan
    assert "What resolvers and coroutines ask of the database themselves is not known beforehand" in out


def test_a_batch_that_needs_an_answer_to_go_on_says_so(text: Run) -> None:
    out = shown(text('{ workspace(slug: "a") { events { nodes { __typename } } } }'))
    sql = part(out, "SQL")
    assert "FROM history" in sql
    assert sql.count("What it asks then depends on the answer.") == 1


def test_the_same_statement_is_shown_once(text: Run) -> None:
    sql = part(shown(text(f'{{ a: page(id: "{PAGE_ID}") {{ id }} b: page(id: "{PAGE_ID}") {{ id }} }}')), "SQL")
    assert sql.count("FROM pages") == 1
    assert "2  page\n   the same as batch 1" in sql


def test_an_id_that_the_field_refuses_is_told(text: Run) -> None:
    document = '{ page(id: "nonsense") { id } }'
    assert "nothing: This is not an id;" in part(shown(text(document)), "SQL")


def test_who_defers_is_executed_by_graphql_core(text: Run) -> None:
    out = shown(text("query Q($id: ID!) { page(id: $id) { name ... @defer { latestAudit { id } } } }"))
    assert "for clients that take them one by one, graphql-core executes it." in out
    assert "Who takes one answer gets it by this plan" in out
    assert ["latestAudit", "Audit", "loader latest_audit, batch 2", "1"] in rows(part(out, "Plan"))


MUTATION = """mutation M($page: ID!, $url: String!) {
  auditRequest(input: { target: { url: $url } }) { ... on AuditRequestPayload { audit { page { site { name } } } } }
  twice: auditRequest(input: { target: { url: $url } }) { ... on AuditRequestPayload { audit { page { name } } } }
  pageDelete(input: { page: $page }) { __typename }
}"""
SUBSCRIPTION = """subscription S($audit: ID!, $deferred: Boolean! = false) {
  auditProgress(audit: $audit) { phase audit { ... @defer(if: $deferred) { page { name } } } }
}"""
AT_ONCE = "It is executed by this plan, from the second time on that the document is asked for.\n"
IN_TURN = "Its root fields are executed one after the other: each is complete, with all below it, before the next begins.\n"
EACH_EVENT = "graphql-core opens its stream; this is read for each event, from the second on by this plan.\n"


def test_the_fields_of_a_change_are_executed_one_after_the_other(text: Run) -> None:
    out = shown(text(MUTATION, "--code"))
    assert AT_ONCE + IN_TURN in out
    plan = rows(part(out, "Plan"))
    assert [cells for cells in plan if cells[-2:] == ["resolver called once", "1"]] == [
        ["auditRequest", "AuditRequestResult!", "resolver called once", "1"],
        ["twice: auditRequest", "AuditRequestResult!", "resolver called once", "1"],
        ["pageDelete", "PageDeleteResult!", "resolver called once", "1"],
    ]
    assert ["site", "Site!", "loader site, batch 2", "1"] in plan
    batches = rows(part(out, "Batches"))
    assert [batch[:3] for batch in batches] == [
        ["1", "page", "auditRequest.audit.page"],
        ["2", "site", "auditRequest.audit.page.site"],
        ["3", "page", "twice.audit.page"],
    ]
    assert "FROM pages" in part(out, "SQL")
    assert "INSERT" not in out
    # What is called by itself is not read with the others.
    assert "'the root'" not in out
    assert "# Page at 'auditRequest.audit.page'" in out
    assert ["root fields", "3", "20"] in rows(part(out, "Cost"))


def test_what_is_read_for_each_event_of_a_subscription_is_told(text: Run) -> None:
    out = shown(text(SUBSCRIPTION))
    assert EACH_EVENT in out
    plan = rows(part(out, "Plan"))
    assert plan[0] == ["auditProgress", "AuditProgress!", "read the event", "1"]
    assert ["page", "Page!", "loader page, batch 1", "1"] in plan
    assert ["1", "page", "auditProgress.audit.page", "1 key", "all"] in rows(part(out, "Batches"))
    assert "FROM pages" in part(out, "SQL")


def test_only_queries_are_answered_in_parts(text: Run) -> None:
    change = 'mutation { a: apiKeyRevoke(input: { key: "x" }) { ... @defer { __typename } } }'
    for document in (SUBSCRIPTION, change):
        out = shown(text(document))
        assert "one by one" not in out
        assert "Who takes one answer" not in out


def test_a_query_says_nothing_of_turns_and_events(text: Run) -> None:
    out = shown(text(PAGE))
    assert AT_ONCE in out
    assert IN_TURN not in out
    assert EACH_EVENT not in out


@pytest.mark.parametrize("document", [PAGE, MUTATION, SUBSCRIPTION], ids=["query", "mutation", "subscription"])
def test_without_compiling_graphql_core_executes_everything(text: Run, monkeypatch: pytest.MonkeyPatch, document: str) -> None:
    monkeypatch.setenv("PACEMARK_COMPILE_QUERIES", "false")
    out = shown(text(document))
    assert "graphql-core executes it: PACEMARK_COMPILE_QUERIES is off." in out
    assert "this plan" not in out
    assert "\nPlan" not in out


def test_what_costs_too_much_is_explained_all_the_same(text: Run) -> None:
    out = shown(
        text(
            '{ workspace(slug: "a") { sites(first: 100) { nodes { pages(first: 100) { nodes { audits(first: 100) '
            "{ nodes { id } } } } } } } }"
        )
    )
    assert "It costs too much, and is refused before it reads anything" in part(out, "Cost")
    assert "audits_of_page" in part(out, "Batches")


def test_a_document_may_come_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(PAGE.encode())))
    assert shown(run("-")).startswith("query Page\n")


SKIPPED = 'query Q($deep: Boolean!) { viewer { __typename } workspace(slug: "a") @include(if: $deep) { id } }'
NOPE = "2:3 Cannot query field 'nope' on type 'Query'. Did you mean 'node' or 'nodes'?"
TWO = "query A { __typename } query B { __typename }"


@pytest.mark.parametrize(
    ("document", "words", "told"),
    [
        ("{", (), "document.graphql: 1:2 Syntax Error: Expected Name, found <EOF>."),
        ("{\n  nope\n}", (), f"document.graphql: {NOPE}"),
        (TWO, (), "document.graphql has several operations: say which by --operation. It has A, B."),
        (TWO, ("--operation", "C"), "document.graphql has no operation 'C'. It has A, B."),
        (PAGE, ("--variables", "?"), "--variables is no JSON: Expecting value: line 1 column 1 (char 0)."),
        (PAGE, ("--variables", "[]"), '--variables is an object in JSON, such as {"first": 10}.'),
        (PAGE, ("--variables", "[" * 10_000), "--variables nests too deeply."),
        (PAGE, ("--variables", '{"id": []}'), "Variable '$id' has invalid value: ID cannot represent value: []"),
        (PAGE, ("--variables", '{"Id": "x"}'), "This operation takes no variable $Id."),
        (PAGE, ("--variables", '{"id": "\\u0000"}'), "A text holds U+0000 or a lone surrogate, which no text here can."),
        (SKIPPED, (), "There is a plan for each way of skipping parts: say by --variables what $deep is."),
    ],
    ids=[
        "no-syntax",
        "no-field",
        "several",
        "no-such",
        "no-json",
        "no-object",
        "too-deep",
        "no-id",
        "no-variable",
        "no-text",
        "undecided",
    ],
)
def test_what_cannot_be_explained_is_told_in_a_sentence(text: Run, document: str, words: tuple[str, ...], told: str) -> None:
    assert text(document, *words) == (2, "", told + "\n")


def test_a_missing_file_is_told(run: Run) -> None:
    assert run("missing.graphql") == (2, "", "missing.graphql cannot be read: No such file or directory.\n")


def test_parts_are_skipped_as_variables_say(text: Run) -> None:
    assert "workspace" in shown(text(SKIPPED, "--variables", '{"deep": true}'))
    assert "workspace" not in shown(text(SKIPPED, "--variables", '{"deep": false}'))


def test_one_of_several_operations_is_chosen(text: Run) -> None:
    assert shown(text(TWO, "--operation", "B")).startswith("query B\n")


CORE = schema._schema


def loaded() -> dict[str, str]:
    """A document for each field that a loader reads, by its coordinate: the way there that was found first."""
    found: dict[str, str] = {}
    assert CORE.query_type is not None
    seen, waiting = {CORE.query_type}, [(CORE.query_type, "", "%s")]
    for parent, variables, way in waiting:
        for name, field in parent.fields.items():
            needed = {each: argument.type for each, argument in field.args.items() if is_required_argument(argument)}
            said = variables + "".join(f" ${parent}_{name}_{each}: {type}" for each, type in needed.items())
            given = "".join(f" {each}: ${parent}_{name}_{each}" for each in needed)
            type = get_named_type(field.type)
            inner = " { __typename }" if is_composite_type(type) else ""
            asked = f"{name}({given})" if given else name
            if read_of(field) is not None:
                document = way % f"wanted: {asked}{inner}"
                found[f"{parent}.{name}"] = f"query{f'({said})' if said else ''} {{ {document} }}"
            if not is_composite_type(type):
                continue
            for possible in CORE.get_possible_types(type) if is_abstract_type(type) else [type]:
                if possible not in seen and not possible.name.startswith("__"):
                    seen.add(possible)
                    waiting.append((possible, said, way % f"{asked} {{ ... on {possible} {{ %s }} }}"))
    return found


LOADED = loaded()
GO_ON = {"Workspace.comparison", "Workspace.events"}


def test_all_fields_that_loaders_read_are_met_below() -> None:
    types = [each for each in CORE.type_map.values() if isinstance(each, GraphQLObjectType)]
    read = {f"{type}.{name}" for type in types for name, field in type.fields.items() if read_of(field) is not None}
    assert read - {f"{CORE.mutation_type}", f"{CORE.subscription_type}"} == set(LOADED)


@pytest.mark.parametrize("coordinate", LOADED)
async def test_every_loader_shows_its_statements(coordinate: str) -> None:
    document = documents_of(CORE).prepare(LOADED[coordinate], stranger=False)
    assert not document.errors
    explanation = await explain(CORE, document, document.operations[0], {}, compiling=True)
    (batch,) = [each for each in explanation.batches if each.place.split(".")[-1] == "wanted"]
    assert (bool(batch.queries), batch.refused, batch.goes_on) == (True, None, coordinate in GO_ON)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_the_examples_are_explained(path: Path) -> None:
    document = documents_of(CORE).prepare(path.read_text(), stranger=False)
    for operation in document.operations:
        explanation = await explain(CORE, document, operation, {}, compiling=True)
        assert [each.refused for each in explanation.batches if not each.queries] == []
