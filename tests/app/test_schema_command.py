"""`pacemark schema`: printed, and checked against another."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from graphql import build_schema

from app import cli
from app.checking.changelog import acknowledged
from app.errors import Unusable
from domain import accounts, documents, workspaces
from domain.access import SYSTEM, Actor, Role
from domain.documents import Checked, ClientMode
from tests.app import houses
from tests.app.running import pacemark

Run = Callable[..., tuple[object, str, str]]

ROOT = Path(__file__).parents[2]
OLD = """
type Query { site(id: ID!): Site }
type Site {
  id: ID
  name: String @deprecated(reason: "Use title.")
  title: String
}
"""
NEW = OLD.replace('  name: String @deprecated(reason: "Use title.")\n', "")
SAFE = OLD.replace("title: String", "title: String!")
DANGEROUS = OLD.replace("site(id: ID!)", "site(id: ID!, deep: Boolean)")
NAMES = "query Names { site(id: 1) { name } }"
TITLES = "query Titles { site(id: 1) { title } }"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs, with the schemas of this file in it."""
    monkeypatch.chdir(tmp_path)
    for name, text in {"old": OLD, "new": NEW, "safe": SAFE, "dangerous": DANGEROUS}.items():
        (tmp_path / f"{name}.graphql").write_text(text)
    return tmp_path


@pytest.fixture
def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, standard output and standard error."""

    def run(*words: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch(["schema", "check", *words])
        return ended.value.code, *capsys.readouterr()

    return run


def lines(text: str) -> list[list[str]]:
    """The cells of each line of a table."""
    return [[cell.strip() for cell in line.strip().split("   ") if cell.strip()] for line in text.splitlines() if line.strip()]


def manifest(folder: Path, **texts: str) -> str:
    (folder / "manifest.json").write_text(json.dumps(texts))
    return "manifest.json"


def test_schema_print_prints_the_schema(tmp_path: Path) -> None:
    done = pacemark(tmp_path, "schema", "print")
    assert (done.returncode, done.stderr) == (0, "")
    schema = build_schema(done.stdout)
    assert schema.mutation_type is not None
    assert "auditRequest" in schema.mutation_type.fields
    assert list(tmp_path.iterdir()) == []


def test_the_schema_of_this_program_is_what_is_compared_with_when_no_other_is_named(tmp_path: Path) -> None:
    (tmp_path / "printed.graphql").write_text(pacemark(tmp_path, "schema", "print").stdout)
    done = pacemark(tmp_path, "schema", "check", "printed.graphql")
    assert (done.returncode, done.stdout, done.stderr) == (0, "No change is breaking, and none is dangerous.\n", "")


def test_help_explains_every_option(check: Run) -> None:
    code, out, _ = check("--help")
    assert code == 0
    options = [line.strip("│* ").split()[0] for line in out.splitlines() if line.lstrip("│* ").startswith("--")]
    assert options == [
        "--documents",
        "--registered",
        "--workspace",
        "--data",
        "--format",
        "--strict",
        "--acknowledged",
        "--help",
    ]


def test_a_removed_field_is_breaking_and_told_with_the_reason_of_its_deprecation(check: Run) -> None:
    code, out, err = check("old.graphql", "new.graphql")
    assert (code, err) == (1, "")
    assert lines(out)[2:] == [
        ["breaking", "field removed", "Site.name", "Field Site.name was removed."],
        ["was deprecated: Use title."],
        ["1 breaking change, 0 dangerous."],
        ["No document was looked at. Name manifests by --documents, or look at those registered here by --registered."],
    ]


def test_what_is_safe_ends_well_and_is_said_in_words(check: Run) -> None:
    assert check("old.graphql", "safe.graphql") == (0, "No change is breaking, and none is dangerous.\n", "")


def test_a_dangerous_change_fails_only_where_that_was_asked_for(check: Run) -> None:
    for words, expected in [((), 0), (("--allow-dangerous",), 0), (("--strict",), 1)]:
        code, out, _ = check("old.graphql", "dangerous.graphql", *words)
        assert code == expected
        assert lines(out)[2] == [
            "dangerous",
            "optional arg added",
            "Query.site(deep:)",
            "An optional argument Query.site(deep:) was added.",
        ]


def test_a_schema_may_come_from_standard_input(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, expected in [(("-", "new.graphql"), 1), (("new.graphql", "-"), 0)]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(OLD.encode())))
        assert check(*words)[0] == expected


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["absent.graphql", "new.graphql"], "absent.graphql cannot be read: No such file or directory."),
        (["-", "-"], "Only one of the two schemas can come from standard input."),
        (["old.graphql", "wrong.graphql"], "wrong.graphql, line 3, column 1: Syntax Error: Expected Name, found '}'."),
        (["latin.graphql", "old.graphql"], "latin.graphql is not in UTF-8: byte 18 belongs to no character."),
        (["old.graphql", "empty.graphql"], "empty.graphql, line 1, column 1: Syntax Error: Unexpected <EOF>."),
        (
            ["old.graphql", "new.graphql", "--documents", "absent.json"],
            "'absent.json' cannot be read: No such file or directory.",
        ),
        (
            ["old.graphql", "new.graphql", "--workspace", "default"],
            "--workspace and --data say which registered documents are meant: add --registered.",
        ),
        (
            ["old.graphql", "new.graphql", "--acknowledged", "empty.graphql"],
            'The changelog has no part that begins with "## [Unreleased]".',
        ),
    ],
)
def test_what_cannot_be_used_is_a_sentence_and_status_2(folder: Path, check: Run, words: list[str], sentence: str) -> None:
    (folder / "wrong.graphql").write_text("type Query {\n  a:\n}\n")
    (folder / "latin.graphql").write_bytes('type Query { a: "é'.encode("latin-1"))
    (folder / "empty.graphql").write_text("")
    assert check(*words) == (2, "", f"{sentence}\n")


def test_the_documents_of_a_manifest_and_of_a_folder_are_looked_at_once_each(folder: Path, check: Run) -> None:
    (folder / "app").mkdir()
    (folder / "app" / "names.graphql").write_text(NAMES)
    given = manifest(folder, n1=NAMES, t1=TITLES)
    code, out, _ = check("old.graphql", "new.graphql", "--documents", given, "--documents", "app")
    assert code == 1
    assert lines(out)[-4:] == [
        ["─" * len(out.splitlines()[-4].strip())],
        ["Names", "manifest.json", "breaks", "Cannot query field 'name' on type 'Site'."],
        ["n1", "app"],
        ["Of 2 documents, 1 breaks, 0 may break, and 0 were invalid before."],
    ]


def test_documents_that_all_survive_are_said_in_words(folder: Path, check: Run) -> None:
    code, out, _ = check("old.graphql", "new.graphql", "--documents", manifest(folder, t1=TITLES))
    assert (code, lines(out)[-1]) == (1, ["Of 1 document, none breaks."])


def test_a_document_that_a_safe_change_breaks_fails_too(folder: Path, check: Run) -> None:
    (folder / "one.graphql").write_text("union Query_ = A | B type A { x: Int } type B { x: Int } type Query { u: Query_ }")
    (folder / "two.graphql").write_text("union Query_ = A | B type A { x: Int } type B { x: Int! } type Query { u: Query_ }")
    given = manifest(folder, u="{ u { ... on A { x } ... on B { x } } }")
    assert check("one.graphql", "two.graphql")[0] == 0
    code, out, _ = check("one.graphql", "two.graphql", "--documents", given)
    assert (code, lines(out)[0]) == (1, ["No change is breaking, and none is dangerous."])


def test_json_says_all_of_it(folder: Path, check: Run) -> None:
    given = manifest(folder, n1=NAMES, x="{ nope }")
    code, out, err = check("old.graphql", "new.graphql", "--documents", given, "--format", "json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {
        "breaking": 1,
        "dangerous": 0,
        "changes": [
            {
                "severity": "BREAKING",
                "kind": "FIELD_REMOVED",
                "coordinate": "Site.name",
                "message": "Field Site.name was removed.",
                "wasDeprecated": "Use title.",
                "acknowledged": False,
            }
        ],
        "documentsChecked": 2,
        "documents": [
            {
                "id": "n1",
                "name": "Names",
                "clients": ["manifest.json"],
                "effect": "BREAKS",
                "reasons": ["Cannot query field 'name' on type 'Site'."],
            },
            {
                "id": "x",
                "name": None,
                "clients": ["manifest.json"],
                "effect": "WAS_INVALID",
                "reasons": ["Cannot query field 'nope' on type 'Query'."],
            },
        ],
    }


def test_the_json_of_no_change_is_json(check: Run) -> None:
    code, out, _ = check("old.graphql", "old.graphql", "--format", "json")
    assert code == 0
    assert json.loads(out) == {"breaking": 0, "dangerous": 0, "changes": [], "documentsChecked": None, "documents": []}


def test_a_reason_cannot_move_the_cursor_of_a_terminal(folder: Path, check: Run) -> None:
    (folder / "old.graphql").write_text(OLD.replace("Use title.", "\\u001b[2J[red]gone"))
    out = check("old.graphql", "new.graphql")[1]
    assert "was deprecated: �[2J[red]gone" in out


def test_a_change_that_the_changelog_owns_up_to_passes(folder: Path, check: Run) -> None:
    changelog = folder / "CHANGES.md"
    changelog.write_text("# Changelog\n\n## [Unreleased]\n\n### Changed\n\n- Something.\n")
    code, _, err = check("old.graphql", "new.graphql", "--acknowledged", "CHANGES.md")
    assert (code, err) == (
        1,
        'Name these in CHANGES.md, part "Unreleased", under a line that begins with "Breaking:": `Site.name`\n',
    )
    changelog.write_text(changelog.read_text() + "- Breaking: `Site.name` is gone, as was announced.\n")
    code, out, err = check("old.graphql", "new.graphql", "--acknowledged", "CHANGES.md")
    assert (code, err) == (0, "")
    assert ["acknowledged in the changelog"] in lines(out)


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("- Breaking: `Site.name` is gone.", {"Site.name"}),
        ("- Breaking: Site.name, Query.site(old:) and `Page` are gone.", {"Site.name", "Query.site(old:)", "Page"}),
        ("- Breaking: what\n  was `Site.name` and `@mark(loud:)`", {"Site.name", "@mark(loud:)"}),
        ("Breaking:\n\n- `Site.name`\n- `Page`\n", {"Site.name", "Page"}),
        ("- **Breaking:**\n  - `Site.name`\n  - `Page`\n- `@mark(loud:)` is new", {"Site.name", "Page"}),
        ("- Breaking: nothing.\n- `Site.name` is faster.", set()),
        ("- Breaking: nothing.\n\n`Site.name` is faster.", set()),
        ("Breaking:\n- `Page`\n### Added\n- `Site.name`", {"Page"}),
        ("- Not Breaking: `Site.name`", set()),
        ("- Breaking: `Site.names`, `MySite.name`, `Site.name(first:)`, `Site.name.more`, a Page.", set()),
        ("- Breaking: none\n\n## [0.1.0]\n\n- Breaking: `Site.name`", set()),
    ],
)
def test_what_is_acknowledged_stands_under_a_line_that_begins_with_breaking(part: str, found: set[str]) -> None:
    changelog = f"# Changelog\n\n- Breaking: `Page`\n\n## [Unreleased]\n\n### Changed\n\n{part}\n"
    assert acknowledged(changelog, {"Site.name", "Page", "Query.site(old:)", "@mark(loud:)"}) == found


def test_a_changelog_without_an_unreleased_part_is_refused() -> None:
    with pytest.raises(Unusable, match="has no part"):
        acknowledged("# Changelog\n\n## [0.1.0]\n\n- Breaking: `Site.name`\n", {"Site.name"})


def test_the_changelog_of_this_project_can_be_read() -> None:
    assert acknowledged((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), {"No.such"}) == frozenset()


@pytest.fixture
def installation(folder: Path) -> str:
    """A data folder with two workspaces whose clients, and everybody in one, registered documents."""
    data = folder / "data"

    async def push(house: houses.House, actor: Actor, client: str | None, **texts: str) -> None:
        [workspace_id] = actor.roles
        async with house.database.work(actor) as work:
            mode = ClientMode.OPEN
            client_id = (
                await documents.create_client(work, workspace_id=workspace_id, name=client, mode=mode) if client else None
            )
            given = [Checked(alias, text, [], "query", 1.0, None) for alias, text in texts.items()]
            pushed = await documents.push(work, workspace_id=workspace_id, client_id=client_id, version="1", documents=given)
            assert len(pushed.added) == len(given)

    async def make() -> None:
        async with houses.opened(data) as (house, owner):
            await push(house, owner, "shop", names=NAMES, **{f"t{each}": f"{TITLES} # {each}" for each in range(150)})
            await push(house, owner, "app", names=NAMES)
            await push(house, owner, None, same=NAMES)
            async with house.database.work(SYSTEM) as work:
                user = await accounts.register(work, name="Other")
                other = await workspaces.create(work, slug="other", name="Other", owner_id=user)
            await push(house, Actor(roles={other: Role.OWNER}, user_id=user), "kiosk", mine=NAMES)

    asyncio.run(make())
    return str(data)


def test_registered_documents_are_named_with_their_clients_in_all_workspaces(check: Run, installation: str) -> None:
    code, out, _ = check("old.graphql", "new.graphql", "--registered", "--data", installation, "--format", "json")
    assert code == 1
    said = json.loads(out)
    assert said["documentsChecked"] == 151
    assert [{**each, "clients": sorted(each["clients"])} for each in said["documents"]] == [
        {
            "id": f"sha256:{hashlib.sha256(NAMES.encode()).hexdigest()}",
            "name": "Names",
            "clients": ["default/app", "default/everybody", "default/shop", "other/kiosk"],
            "effect": "BREAKS",
            "reasons": ["Cannot query field 'name' on type 'Site'."],
        }
    ]


def test_registered_documents_of_one_workspace_are_looked_at_alone(check: Run, installation: str) -> None:
    words = ["old.graphql", "new.graphql", "--registered", "--data", installation, "--workspace"]
    code, out, _ = check(*words, "other", "--format", "json")
    said = json.loads(out)
    assert (code, said["documentsChecked"]) == (1, 1)
    assert [each["clients"] for each in said["documents"]] == [["other/kiosk"]]
    assert check(*words, "nowhere") == (2, "", "There is no workspace 'nowhere' here.\n")


@pytest.mark.slow
def test_the_chore_compares_with_an_earlier_commit_and_skips_where_there_is_none(tmp_path: Path) -> None:
    """The Makefile's own recipe, in a repository of two commits."""

    def git(*words: str) -> None:
        who = ["-c", "user.name=T", "-c", "user.email=t@example.test", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    def make(*words: str) -> subprocess.CompletedProcess[str]:
        # The environment stands: nothing is set up here.
        command = [
            "make",
            "--no-print-directory",  # it may be another make that runs this
            "-f",
            str(ROOT / "Makefile"),
            "-o",
            ".venv/.ready",
            "schema-check",
            f"bin={Path(sys.executable).parent}",
        ]
        return subprocess.run([*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False)

    git("init", "--quiet")
    (tmp_path / "schema.graphql").write_text(OLD)
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "One")
    done = make()
    nothing = "Nothing was compared: there is no schema.graphql at HEAD~1 here, as in a shallow clone.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, nothing, "")
    (tmp_path / "schema.graphql").write_text(NEW)
    git("commit", "--quiet", "-a", "-m", "Two")
    done = make()
    assert done.returncode == 2
    assert "`Site.name`" in done.stderr
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n- Breaking: `Site.name` is gone.\n")
    assert make().returncode == 0
    assert make("BASE=HEAD").stdout == "No change is breaking, and none is dangerous.\n"
