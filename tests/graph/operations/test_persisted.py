"""A document by its id: whose ids name what, what each mode of a client lets through, and Apollo's automatic documents."""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from domain import documents
from domain.access import Actor, Role
from domain.documents import ClientMode
from domain.ids import new_id
from graph.callers import Caller
from graph.operations import Asked, Rejected, persisted
from tests.databases import Counter
from tests.graph.asking import Asking, asking
from tests.graph.registering import caller, change, client, elsewhere, push

__all__ = ["asking"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ONE, OTHER, UNKNOWN = (
    "query One { metrics { name } }",
    "query Other { metrics { title } }",
    "query Unknown { metrics { unit } }",
)
DEAR = """{ workspace(slug: "acme") { sites(first: 100) { nodes { pages(first: 100) { nodes {
  audits(first: 100) { nodes { id } } } } } } } }"""
STRANGER = Caller(address="192.0.2.9")
NOT_IN_LIST = (404, "PERSISTED_QUERY_NOT_IN_LIST", "No document of this id is registered for this client.")
NOT_FOUND = (200, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
ID_REQUIRED = (
    400,
    "PERSISTED_QUERY_ID_REQUIRED",
    "This client sends the id of a registered document as `documentId`, and no text.",
)
NOT_IN_SAFELIST = (403, "QUERY_NOT_IN_SAFELIST", "This client sends registered documents only, and this is none.")


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def automatic(text: str, version: Any = 1) -> dict[str, Any]:
    """What Apollo's clients put into `extensions`."""
    return {"persistedQuery": {"version": version, "sha256Hash": hash_of(text)}}


async def said(asking: Asking, by: Caller, asked: Asked) -> Any:
    """The name of the operation that would run, or what refuses it: status, code and message."""
    try:
        prepared = await asking.operations.prepare(asked, by)
        await asking.operations.result(prepared)
        return prepared.operation.name
    except Rejected as refused:
        (error,) = refused.errors
        return refused.status, (error.extensions or {})["code"], error.message


async def by_id(asking: Asking, by: Caller, id: str) -> Any:
    return await said(asking, by, Asked(document_id=id))


async def by_text(asking: Asking, by: Caller, text: str) -> Any:
    return await said(asking, by, Asked(text))


async def by_hash(asking: Asking, by: Caller, text: str, *, sending: bool = False) -> Any:
    return await said(asking, by, Asked(text if sending else None, extensions=automatic(text)))


@pytest.mark.parametrize(
    ("text", "id"),
    [
        (
            "query ($id: ID!) {\n  user(id: $id) {\n    name\n  }\n}",
            "sha256:7dba4bd717b41f10434822356a93c32b1fb4907b983e854300ad839f84cdcd6e",
        ),
        (
            "query($id:ID!){user(id:$id){name}}",
            "sha256:71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b",
        ),
    ],
)
async def test_the_ids_of_the_appendix_name_its_texts(asking: Asking, text: str, id: str) -> None:
    await push(asking, None, {"any": text}, checked=False)
    known = persisted.Persisted(asking.database.reader, asking.services.cache)
    for by in (await caller(asking), await caller(asking, await client(asking))):
        assert (await known.named(Asked(document_id=id), by)).text == text
        assert (await known.named(Asked(document_id=id.removeprefix("sha256:")), by)).text == text
    for wrong in (id.upper(), id[:-1], f"{id}0", f"md5:{id[7:39]}"):
        assert await by_id(asking, await caller(asking), wrong) == NOT_IN_LIST


async def test_an_id_is_the_clients_own_before_it_is_the_workspaces(asking: Asking) -> None:
    web, ios = await client(asking, "web"), await client(asking, "ios")
    await push(asking, web, {"home": ONE, "mine": UNKNOWN})
    await push(asking, None, {"home": OTHER})
    webs, ioss, nobodys = [await caller(asking, each) for each in (web, ios, None)]
    assert [await by_id(asking, by, "home") for by in (webs, ioss, nobodys)] == ["One", "Other", "Other"]
    assert [await by_id(asking, by, "mine") for by in (webs, ioss, nobodys)] == ["Unknown", NOT_IN_LIST, NOT_IN_LIST]
    hash = f"sha256:{hash_of(UNKNOWN)}"
    assert [await by_id(asking, by, hash) for by in (webs, ioss, nobodys)] == ["Unknown", NOT_IN_LIST, "Unknown"]


async def test_ids_of_another_workspace_are_answered_as_unknown_ones(asking: Asking) -> None:
    other = await elsewhere(asking)
    await push(other, None, {"home": ONE})
    await push(asking, None, {"start": OTHER})
    foreign = await caller(other)
    assert await by_id(asking, foreign, "home") == "One"
    for by in (await caller(asking), await caller(asking, await client(asking)), STRANGER):
        for id in ("home", f"sha256:{hash_of(ONE)}", hash_of(ONE), "nothing", "no id", "x" * 256, "\0"):
            assert await by_id(asking, by, id) == NOT_IN_LIST
        assert await by_hash(asking, by, ONE) == await by_hash(asking, by, UNKNOWN) == NOT_FOUND


async def test_whoever_is_in_several_workspaces_names_nothing_by_an_id(asking: Asking) -> None:
    await push(asking, None, {"home": ONE})
    other = await elsewhere(asking)
    both = Caller(Actor({**asking.actor.roles, **other.actor.roles}))
    assert await by_id(asking, both, "home") == NOT_IN_LIST


@pytest.mark.parametrize(
    ("mode", "registered", "unknown"),
    [
        (ClientMode.OPEN, "One", "Unknown"),
        (ClientMode.LOG_UNKNOWN, "One", "Unknown"),
        (ClientMode.SAFELIST, "One", NOT_IN_SAFELIST),
        (ClientMode.REGISTERED_ONLY, ID_REQUIRED, ID_REQUIRED),
    ],
)
async def test_a_mode_says_which_texts_a_client_may_send(
    asking: Asking, mode: ClientMode, registered: Any, unknown: Any
) -> None:
    web = await client(asking, mode=mode)
    await push(asking, web, {"home": ONE})
    by = await caller(asking, web)
    assert await by_text(asking, by, ONE) == registered
    assert await by_text(asking, by, UNKNOWN) == unknown
    for id in ("home", f"sha256:{hash_of(ONE)}"):
        assert await by_id(asking, by, id) == "One"
    assert await by_hash(asking, by, ONE) == "One"
    assert await by_id(asking, by, "nothing") == NOT_IN_LIST


async def test_a_safelist_is_that_of_the_client_and_its_workspace(asking: Asking) -> None:
    web, ios = [await client(asking, name, ClientMode.SAFELIST) for name in ("web", "ios")]
    await push(asking, web, {"home": ONE})
    await push(asking, None, {"shared": OTHER})
    webs, ioss = await caller(asking, web), await caller(asking, ios)
    assert [await by_text(asking, webs, text) for text in (ONE, OTHER)] == ["One", "Other"]
    assert [await by_text(asking, ioss, text) for text in (ONE, OTHER)] == [NOT_IN_SAFELIST, "Other"]
    assert await by_text(asking, webs, ONE + " ") == NOT_IN_SAFELIST, "to the letter"


@pytest.mark.parametrize("closed", [ClientMode.SAFELIST, ClientMode.REGISTERED_ONLY])
async def test_a_text_behind_a_registered_id_is_the_registered_one(asking: Asking, closed: ClientMode) -> None:
    """An id that is made to look like a hash opens nothing else."""
    web = await client(asking, mode=closed)
    await push(asking, web, {hash_of(UNKNOWN): ONE})
    by = await caller(asking, web)
    assert await by_id(asking, by, hash_of(UNKNOWN)) == "One"
    if closed is ClientMode.SAFELIST:
        assert await by_text(asking, by, UNKNOWN) == NOT_IN_SAFELIST
        assert await by_hash(asking, by, UNKNOWN, sending=True) == NOT_IN_SAFELIST


async def test_what_is_not_registered_is_logged_by_its_hash_and_never_by_its_text(asking: Asking) -> None:
    web = await client(asking, mode=ClientMode.LOG_UNKNOWN)
    await push(asking, web, {"home": ONE})
    by, open = await caller(asking, web), await caller(asking)
    expected = {
        "event": "A client sent a document that is not registered.",
        "log_level": "info",
        "client_id": str(web),
        "document": f"sha256:{hash_of(UNKNOWN)}",
    }
    with capture_logs() as logs:
        assert await by_text(asking, by, ONE) == await by_id(asking, by, "home") == await by_hash(asking, by, ONE) == "One"
        assert await by_text(asking, open, UNKNOWN) == "Unknown"
        assert await by_hash(asking, open, UNKNOWN, sending=True) == "Unknown"
    assert logs == []
    for sending in (Asked(UNKNOWN), Asked(extensions=automatic(UNKNOWN)), Asked(UNKNOWN, extensions=automatic(UNKNOWN))):
        with capture_logs() as logs:
            assert await said(asking, by, sending) == "Unknown"
        assert logs == [expected], "also where somebody else of the workspace sent the text first"


async def test_an_automatic_document_is_sent_once_and_called_for_by_its_hash(asking: Asking) -> None:
    by = await caller(asking)
    assert await by_hash(asking, by, ONE) == NOT_FOUND
    assert await by_hash(asking, by, ONE, sending=True) == "One"
    assert await by_hash(asking, by, ONE) == "One"
    assert await by_hash(asking, await caller(asking, await client(asking)), ONE) == "One", "it is the workspace's"


async def test_an_automatic_document_is_one_workspaces(asking: Asking) -> None:
    other = await elsewhere(asking)
    mine, theirs = await caller(asking), await caller(other)
    assert await by_hash(asking, mine, ONE, sending=True) == "One"
    assert await by_hash(asking, STRANGER, OTHER, sending=True) == "Other", "a stranger's runs, and is not kept"
    assert [await by_hash(asking, by, ONE) for by in (mine, theirs, STRANGER)] == ["One", NOT_FOUND, NOT_FOUND]
    assert [await by_hash(asking, by, OTHER) for by in (mine, theirs, STRANGER)] == [NOT_FOUND, NOT_FOUND, NOT_FOUND]


async def test_an_automatic_document_of_whoever_is_not_in_just_one_workspace_is_their_own(asking: Asking) -> None:
    both = {asking.workspace_id: Role.VIEWER, (await elsewhere(asking)).workspace_id: Role.VIEWER}
    for roles in ({}, both):
        one, other = [Caller(Actor(roles, user_id=new_id())) for _ in range(2)]
        assert await by_hash(asking, one, ONE, sending=True) == "One"
        assert [await by_hash(asking, by, ONE) for by in (one, other, STRANGER)] == ["One", NOT_FOUND, NOT_FOUND]


async def test_a_text_that_is_not_what_its_hash_says_is_refused_and_not_kept(asking: Asking) -> None:
    by = await caller(asking)
    wrong = Asked(UNKNOWN, extensions=automatic(ONE))
    assert await said(asking, by, wrong) == (400, "PERSISTED_QUERY_MISMATCH", "provided sha does not match query")
    assert await by_hash(asking, by, ONE) == await by_hash(asking, by, UNKNOWN) == NOT_FOUND


@pytest.mark.parametrize("version", [2, 0, "1", None, [], {}])
async def test_another_version_of_apollos_protocol_is_refused(asking: Asking, version: Any) -> None:
    expected = (400, "BAD_REQUEST", "Unsupported persisted query version")
    for query in (ONE, None):
        assert await said(asking, await caller(asking), Asked(query, extensions=automatic(ONE, version))) == expected
    bad: Any
    for bad in (5, [], "x", {"sha256Hash": hash_of(ONE)}):
        assert await said(asking, STRANGER, Asked(ONE, extensions={"persistedQuery": bad})) == expected


@pytest.mark.parametrize("hash", ["", None, 5, "x" * 257])
async def test_a_hash_is_a_text(asking: Asking, hash: Any) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
    expected = (400, "BAD_REQUEST", "persistedQuery.sha256Hash must be a text of 1 to 256 characters.")
    assert await said(asking, STRANGER, Asked(extensions=extensions)) == expected


@pytest.mark.parametrize("hash", ["x", hash_of(ONE).upper(), hash_of(ONE)[:-1], "é", " ", "a\nb"])
async def test_what_is_no_hash_of_ours_is_not_found(asking: Asking, hash: str) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
    for by in (STRANGER, await caller(asking)):
        assert await said(asking, by, Asked(extensions=extensions)) == NOT_FOUND


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{ nothing", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ metrics { name } }" + " " * 65_536, "DOCUMENT_TOO_LARGE"),
        ("{ " + "__typename " * 21 + "}", "DOCUMENT_TOO_COMPLEX"),
    ],
)
async def test_a_text_that_is_not_good_is_never_kept(asking: Asking, text: str, code: str) -> None:
    by = await caller(asking)
    with pytest.raises(Rejected) as refused:
        await asking.operations.prepare(Asked(text, extensions=automatic(text)), by)
    assert (refused.value.errors[0].extensions or {})["code"] == code
    assert await by_hash(asking, by, text) == NOT_FOUND


async def test_a_text_that_may_not_run_is_never_kept(asking: Asking) -> None:
    """A mutation by GET, or what costs too much with its variables."""
    by, mutation = await caller(asking), 'mutation M { siteDelete(input: { site: "x" }) { __typename } }'
    with pytest.raises(Rejected):
        await asking.operations.prepare(Asked(mutation, extensions=automatic(mutation)), by, mutations=False)
    assert await by_hash(asking, by, mutation) == NOT_FOUND
    assert (await by_hash(asking, by, DEAR, sending=True))[1] == "COST_ESTIMATED_TOO_EXPENSIVE"
    assert await by_hash(asking, by, DEAR) == NOT_FOUND


@pytest.mark.parametrize(
    ("mode", "sending"), [(ClientMode.SAFELIST, NOT_IN_SAFELIST), (ClientMode.REGISTERED_ONLY, ID_REQUIRED)]
)
async def test_a_closed_client_registers_nothing_by_itself(asking: Asking, mode: ClientMode, sending: Any) -> None:
    web = await client(asking, mode=mode)
    await push(asking, web, {"home": ONE})
    by, open = await caller(asking, web), await caller(asking)
    assert await by_hash(asking, by, UNKNOWN) == NOT_IN_LIST
    assert await by_hash(asking, by, UNKNOWN, sending=True) == sending
    assert await by_hash(asking, by, UNKNOWN) == NOT_IN_LIST
    assert await by_hash(asking, open, UNKNOWN) == NOT_FOUND
    # Nor does it call for what others of its workspace sent.
    assert await by_hash(asking, open, UNKNOWN, sending=True) == "Unknown"
    assert await by_hash(asking, by, UNKNOWN) == NOT_IN_LIST
    registered = await by_hash(asking, by, ONE, sending=True)
    assert registered == ("One" if mode is ClientMode.SAFELIST else ID_REQUIRED)


async def test_what_was_read_is_good_for_a_second_and_what_is_not_there_for_none(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = await client(asking)
    by = await caller(asking, web)
    assert await by_id(asking, by, "home") == NOT_IN_LIST
    await push(asking, web, {"home": ONE})
    counter = Counter(asking.database)
    assert [await by_id(asking, by, "home") for _ in range(3)] == ["One"] * 3
    assert len(counter) == 1
    await change(asking, web, ClientMode.REGISTERED_ONLY)
    assert await by_text(asking, by, ONE) == "One"
    monkeypatch.setattr(persisted, "KNOWN_SECONDS", 0.0)
    assert await by_text(asking, by, ONE) == ID_REQUIRED


async def test_texts_are_held_for_as_long_as_they_are_good(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    known = persisted.Persisted(asking.database.reader, asking.services.cache)
    await push(asking, None, {"one": ONE, "other": OTHER, "unknown": UNKNOWN})
    by = await caller(asking)
    for seconds, kept, held in ((60.0, 10, 3), (60.0, 2, 2), (0.0, 10, 0)):
        monkeypatch.setattr(persisted, "KNOWN_SECONDS", seconds)
        monkeypatch.setattr(persisted, "KEPT", kept)
        known = persisted.Persisted(asking.database.reader, asking.services.cache)
        for id in ("one", "other", "unknown"):
            await known.named(Asked(document_id=id), by)
        assert len(known._documents._rows) == held


async def test_a_client_that_is_gone_sends_nothing(asking: Asking) -> None:
    web = await client(asking)
    by = await caller(asking, web)
    async with asking.database.work(asking.actor) as work:
        await documents.delete_client(work, client_id=web)
    assert await by_text(asking, by, ONE) == ID_REQUIRED
    assert await by_id(asking, by, "home") == NOT_IN_LIST


async def test_nothing_is_read_for_who_sends_a_text_and_is_no_client(asking: Asking) -> None:
    by, counter = await caller(asking), Counter(asking.database)
    assert await by_text(asking, by, ONE) == await by_text(asking, STRANGER, ONE) == "One"
    assert await by_id(asking, STRANGER, "home") == NOT_IN_LIST
    assert len(counter) == 0


async def test_a_hash_that_is_registered_goes_before_an_automatic_one(asking: Asking) -> None:
    """So that its use is counted."""
    by = await caller(asking)
    assert await by_hash(asking, by, ONE, sending=True) == "One"
    await push(asking, None, {"home": ONE})
    prepared = await asking.operations.prepare(Asked(extensions=automatic(ONE)), by)
    assert prepared.registered is not None
    assert isinstance(prepared.registered.id, UUID)
    prepared.end()
