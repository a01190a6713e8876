"""`pacemark clients` and `pacemark documents`: registered here or in another installation, listed and pruned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app import cli, pushing, remote
from app.commands.clients import Mode
from app.manifests import Entry
from domain import documents, keys
from domain.documents import MAX_PUSHED, ClientMode
from tests.app import houses
from tests.app.running import Server, pacemark, staying

Run = Callable[..., tuple[object, str, str]]

NAMES = "query Names { viewer { workspaces { nodes { name } } } }"
TYPE = "query Type { __typename }"
BAD = "{\n  nope\n}"
REASON = "2:3 Cannot query field 'nope' on type 'Query'. Did you mean 'node' or 'nodes'?"
ANOTHER = "This id has another text already, and an id never changes: give the new text an id of its own."


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Exit status, standard output and standard error of a command in the folder."""

    def run(*words: str, here: bool = True) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as ended:
            cli.dispatch([*words, *(("--data", str(tmp_path)) if here else ())])
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def ready(run: Run) -> Run:
    """In a folder with a workspace and the client `web`."""
    assert run("migrate")[0] == 0
    assert run("keys", "create", "first")[0] == 0
    assert run("clients", "create", "web")[0] == 0
    return run


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., str]:
    def manifest(**texts: str) -> str:
        path = tmp_path / "persisted-documents.json"
        path.write_text(json.dumps(texts))
        return str(path)

    return manifest


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def test_clients_are_made_listed_and_told_what_they_may(run: Run) -> None:
    assert run("clients", "list")[0] == 2
    assert run("migrate")[0] == 0
    assert run("keys", "create", "first")[0] == 0
    nothing = "There is no API client in this workspace. Make one: pacemark clients create NAME\n"
    assert run("clients", "list") == (0, nothing, "")
    assert run("clients", "create", "web") == (0, "The client 'web' is made, with the mode OPEN.\n", "")
    said = run("clients", "create", "ios", "--mode", "registered_only")
    assert said == (0, "The client 'ios' is made, with the mode REGISTERED_ONLY.\n", "")
    assert run("clients", "mode", "web", "SAFELIST") == (0, "The client 'web' has the mode SAFELIST from now on.\n", "")
    table = words(run("clients", "list")[1])
    assert table[0] == ["Client", "Mode", "Made", "(UTC)"]
    assert [row[:2] for row in table[2::2]] == [["ios", "REGISTERED_ONLY"], ["web", "SAFELIST"]]
    assert all(row[0].startswith("client_") for row in table[3::2])


def test_what_cannot_be_done_to_a_client_is_a_sentence(ready: Run) -> None:
    nobody = "There is no client 'nobody' in this workspace. Make it: pacemark clients create NAME\n"
    for given, sentence in [
        (["clients", "create", "web"], "A client of this workspace has this name already.\n"),
        (["clients", "create", " "], "A client's name is 1 to 100 printable characters.\n"),
        (["clients", "mode", "nobody", "OPEN"], nobody),
        (["clients", "list", "--workspace", "nowhere"], "There is no workspace 'nowhere' here.\n"),
        (["keys", "create", "k", "--client", "nobody"], nobody),
        (["documents", "list", "--client", "nobody"], nobody),
        (["documents", "prune", "--unused", "1d", "--client", "nobody"], nobody),
    ]:
        assert ready(*given) == (2, "", sentence), given


def test_the_modes_are_the_domains() -> None:
    assert [each.value for each in Mode] == [each.value for each in ClientMode]


def test_a_key_can_be_a_clients(tmp_path: Path, ready: Run) -> None:
    _, out, _ = ready("keys", "create", "of web", "--client", "web", "--role", "viewer")

    async def whose(key: str) -> str:
        async with houses.opened(tmp_path) as (house, owner):
            actor = await keys.actor_for_key(house.database.reader, key, house.keyring)
            assert actor is not None
            assert actor.client_id is not None
            return (await documents.clients_by_ids(house.database.reader, owner.reach, [actor.client_id]))[actor.client_id].name

    assert asyncio.run(whose(out.strip())) == "web"
    table = words(ready("keys", "list")[1])
    assert table[0][:5] == ["Key", "Name", "Role", "Issued", "(UTC)"]
    assert "Client" in table[0]
    assert [row[-1] for row in table[2::2]] == ["–", "web"]


def test_documents_are_pushed_and_what_was_there_is_only_counted(ready: Run, manifest: Callable[..., str]) -> None:
    push = ("documents", "push", "--client", "web", "--version")
    status, out, errors = ready(*push, "1.0", manifest(names=NAMES, type=TYPE))
    assert (status, errors) == (0, "")
    assert words(out)[2:-1] == [["added", "names"], ["added", "type"]]
    assert out.endswith("\n2 added, 0 unchanged, 0 refused.\n")
    assert ready(*push, "1.1", manifest(names=NAMES, type=TYPE)) == (0, "0 added, 2 unchanged, 0 refused.\n", "")


def test_what_is_refused_is_told_with_the_reason_and_the_status_is_1(ready: Run, manifest: Callable[..., str]) -> None:
    push = ("documents", "push", "--client", "web", "--version", "1.0")
    assert ready(*push, manifest(names=NAMES))[0] == 0
    status, out, _ = ready(*push, manifest(names=TYPE, bad=BAD, good=TYPE, **{"b a d": TYPE}))
    assert status == 1
    flat = " ".join(out.split())
    for part in ("added good", f"refused bad {REASON}", f"refused names {ANOTHER}", "refused b a d An id is 1 to 200 letters"):
        assert part in flat
    assert out.endswith("\n1 added, 0 unchanged, 3 refused.\n")
    assert "\x1b" not in out


def test_an_operation_of_another_client_is_refused(ready: Run, tmp_path: Path) -> None:
    operations = [{"id": name, "name": "x", "type": "query", "body": TYPE, "clientName": name} for name in ("web", "ios")]
    said = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    status, out, _ = ready("documents", "push", str(tmp_path / "manifest.json"), "--client", "web", "--version", "1")
    assert status == 1
    assert "The manifest has it for the client 'ios': push it for that one." in out
    assert out.endswith("\n1 added, 0 unchanged, 1 refused.\n")


def test_a_folder_is_pushed_for_the_whole_workspace(ready: Run, tmp_path: Path) -> None:
    folder = tmp_path / "operations"
    folder.mkdir()
    (folder / "names.graphql").write_text(NAMES)
    assert ready("documents", "push", str(folder), "--version", "1")[0] == 0
    assert [row[1] for row in words(ready("documents", "list")[1])[2::2]] == ["Names"]
    assert "everybody" in ready("documents", "list")[1]
    assert ready("documents", "list", "--client", "web")[1].startswith("No document is registered.")


def test_what_cannot_be_pushed_at_all_is_a_sentence(ready: Run, manifest: Callable[..., str], tmp_path: Path) -> None:
    file = manifest(names=NAMES)
    push = ("documents", "push", file, "--version")
    assert ready(*push, "1", "--client", "nobody")[2].startswith("There is no client 'nobody' in this workspace.")
    assert ready(*push, "a b") == (2, "", "A version is 1 to 50 letters, digits and . _ + -\n")
    none = str(tmp_path / "none.json")
    assert ready("documents", "push", none, "--version", "1")[2].endswith("cannot be read: No such file or directory.\n")


def test_documents_are_listed_with_who_registered_and_who_used_them(
    tmp_path: Path, ready: Run, manifest: Callable[..., str]
) -> None:
    nothing = "No document is registered. Register some: pacemark documents push FILE --version VERSION\n"
    assert ready("documents", "list") == (0, nothing, "")
    assert ready("documents", "push", manifest(names=NAMES), "--client", "web", "--version", "1")[0] == 0
    assert ready("documents", "push", manifest(type=TYPE, names=NAMES), "--version", "1")[0] == 0

    async def use() -> None:
        async with houses.opened(tmp_path) as (house, owner):
            (workspace_id,) = owner.roles
            found = await documents.resolve(house.database.reader, workspace_id, None, "names")
            assert found is not None
            usage = documents.Usage()
            for _ in range(1_234):
                usage.record(workspace_id, found.id, None, "", 0.01, False)
            async with house.database.work(owner) as work:
                await documents.count(work, usage.drain())

    asyncio.run(use())
    table = words(ready("documents", "list")[1])
    assert table[0] == ["Document", "Registered", "by", "Last", "used", "(UTC)", "Cost", "Calls"]
    assert table[2] == ["query", "Type", "everybody", "–", "0", "0"]
    assert (table[4][:4], table[4][-2:]) == (["query", "Names", "everybody,", "web"], ["22", "1,234"])
    assert table[5] == [f"sha256:{documents.hash_of(NAMES)}"]
    table = words(ready("documents", "list", "--client", "web")[1])
    assert [row[1] for row in table[2::2]] == ["Names"]


def test_documents_that_nobody_needs_are_pruned(
    tmp_path: Path, ready: Run, manifest: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.documents.actions.PIECE", 2)
    texts = {f"a{number}": f"query Old{number} {{ __typename }}" for number in range(5)}

    async def long_ago() -> None:
        async with houses.opened(tmp_path) as (house, owner):
            (workspace_id,) = owner.roles
            house.database._clock = lambda: datetime.now(UTC) - timedelta(days=100)
            checked = [documents.Checked(id, text, [text.split()[1]], "query") for id, text in texts.items()]
            async with house.database.work(owner) as work:
                await documents.push(work, workspace_id=workspace_id, client_id=None, version="1", documents=checked)

    asyncio.run(long_ago())
    assert ready("documents", "push", manifest(type=TYPE), "--version", "1")[0] == 0
    assert ready("documents", "prune", "--unused", "101d") == (0, "No document is so long unused.\n", "")
    status, out, _ = ready("documents", "prune", "--unused", "90d", "--dry-run")
    assert (status, out.endswith("\n5 documents would be forgotten.\n")) == (0, True)
    assert [row[1] for row in words(out)[2:-1:2]] == ["Old0", "Old1", "Old2", "Old3", "Old4"]
    assert ready("documents", "prune", "--unused", "90d", "--client", "web")[1] == "No document is so long unused.\n"
    status, out, _ = ready("documents", "prune", "--unused", "90d")
    assert (status, out.endswith("\n5 documents forgotten.\n")) == (0, True)
    assert [row[1] for row in words(ready("documents", "list")[1])[2::2]] == ["Type"]
    for unused in ("90", "0d", "-1d", "d", "90 d", "1000000d"):
        said = ready("documents", "prune", "--unused", unused)
        assert said == (2, "", f"--unused is a number of days, such as 90d, not {unused!r}.\n")


def test_a_batch_is_at_most_what_a_push_takes() -> None:
    small = [Entry(str(number), TYPE) for number in range(2 * MAX_PUSHED + 1)]
    assert [len(batch) for batch in pushing.batches(small)] == [MAX_PUSHED, MAX_PUSHED, 1]
    assert [entry for batch in pushing.batches(small) for entry in batch] == small
    large = [Entry(str(number), "ü\n" * 20_000) for number in range(40)]
    sizes = [
        len(json.dumps([each._asdict() for each in batch], ensure_ascii=False).encode()) for batch in pushing.batches(large)
    ]
    assert len(sizes) == 4
    assert max(sizes) <= 1024 * 1024
    assert list(pushing.batches([])) == []


def test_several_batches_are_told(ready: Run, manifest: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "MAX_PUSHED", 2)
    file = manifest(**{f"a{number}": TYPE for number in range(5)})
    status, out, _ = ready("documents", "push", file, "--version", "1")
    assert status == 0
    assert out.endswith("\n5 added, 0 unchanged, 0 refused, in 3 batches of which each was stored as a whole.\n")


# In another installation.


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("there")


@pytest.fixture(scope="module")
def there(home: Path) -> Iterator[Server]:
    with staying(home, "up", "--data", "data") as server:
        made = pacemark(home, "clients", "create", "web", "--data", "data")
        assert made.returncode == 0, made.stderr
        yield server


@pytest.fixture
def key(there: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv(remote.KEY, there.key)
    return there.key


@pytest.mark.usefixtures("key")
def test_documents_are_pushed_over_graphql(run: Run, there: Server, manifest: Callable[..., str], home: Path) -> None:
    push = ("documents", "push", "--url", there.url, "--client", "web", "--version")
    status, out, errors = run(*push, "1.0", manifest(names=NAMES, bad=BAD), here=False)
    assert (status, errors) == (1, "")
    assert f"refused bad {REASON}" in " ".join(out.split())
    assert out.endswith("\n1 added, 0 unchanged, 1 refused.\n")
    assert run(*push, "1.1", manifest(names=NAMES), here=False) == (0, "0 added, 1 unchanged, 0 refused.\n", "")
    listed = pacemark(home, "documents", "list", "--client", "web", "--data", "data")
    assert [row[1] for row in words(listed.stdout)[2::2]] == ["Names"]


@pytest.mark.usefixtures("key")
def test_what_goes_over_a_request_goes_in_several(run: Run, there: Server, manifest: Callable[..., str]) -> None:
    long = "# " + "x" * 60_000
    file = manifest(**{f"long{number}": f"query Long{number} {{ __typename }}\n{long}" for number in range(20)})
    status, out, errors = run("documents", "push", file, "--url", there.url, "--version", "1", here=False)
    assert (status, errors) == (0, "")
    assert out.endswith("\n20 added, 0 unchanged, 0 refused, in 2 batches of which each was stored as a whole.\n")


@pytest.mark.usefixtures("key")
def test_what_the_other_installation_refuses_is_a_sentence(run: Run, there: Server, manifest: Callable[..., str]) -> None:
    push = ("documents", "push", manifest(names=NAMES), "--url", there.url, "--version")
    for given, sentence in [
        (("a b",), "A version is 1 to 50 letters, digits and . _ + -\n"),
        (
            ("1", "--client", "nobody"),
            "There is no client 'nobody' in that workspace. Make it there: pacemark clients create NAME\n",
        ),
        (
            ("1", "--workspace", "nowhere"),
            "The key in PACEMARK_KEY opens no workspace 'nowhere' there. Name its own: --workspace SLUG\n",
        ),
    ]:
        assert run(*push, *given, here=False) == (2, "", sentence)


def test_a_key_that_may_not_or_is_none_is_not_repeated(
    run: Run, there: Server, home: Path, manifest: Callable[..., str], key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = ("documents", "push", manifest(names=NAMES), "--url", there.url, "--version", "1")
    weak = pacemark(home, "keys", "create", "weak", "--role", "viewer", "--data", "data").stdout.strip()
    monkeypatch.setenv(remote.KEY, weak)
    assert run(*push, here=False) == (2, "", "Viewers of this workspace lack the permission DOCUMENT_WRITE.\n")
    monkeypatch.setenv(remote.KEY, key[:-1] + ("0" if key[-1] != "0" else "1"))
    sentence = f"The key in PACEMARK_KEY opens nothing at '{there.url}': it is not one of that server's, or no longer.\n"
    assert run(*push, here=False) == (2, "", sentence)
    monkeypatch.delenv(remote.KEY)
    assert run(*push, here=False)[2].startswith("Set PACEMARK_KEY to an API key of that server")


def test_what_was_stored_before_a_batch_failed_is_said() -> None:
    async def push(batch: Any) -> documents.Pushed:
        if batch[0].id == "1000":
            raise remote.Unusable("It went away.")
        return documents.Pushed([entry.id for entry in batch], [], [])

    entries = [Entry(str(number), TYPE) for number in range(1_001)]
    with pytest.raises(remote.Unusable) as failed:
        asyncio.run(pushing._each(entries, push))
    assert str(failed.value) == "It went away. Before that, 1,000 were stored, which stay: push again."


@pytest.mark.slow
def test_the_program_itself_has_these_commands(tmp_path: Path) -> None:
    for group, commands in [("clients", ("create", "list", "mode")), ("documents", ("push", "list", "prune"))]:
        done = pacemark(tmp_path, group, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert all(word in done.stdout for word in commands)
    assert list(tmp_path.iterdir()) == []
