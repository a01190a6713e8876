"""What is somebody else's is not to be told from what is nowhere: every argument that can name something is asked with both."""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from domain.access import Actor, Role
from domain.ids import Kind, encode, new_id
from domain.paging import read_cursor, write_cursor
from graph.errors import MASK
from tests.databases import new_workspace
from tests.graph.asking import Asking, asking
from tests.graph.bounds import boundless
from tests.graph.changing import change
from tests.graph.filled import Filled, Sizes, fill
from tests.graph.walking import Operation, Owner, arguments, changing, listing, naming_one

__all__ = ["asking", "boundless"]

pytestmark = pytest.mark.usefixtures("boundless")

SMALL = Sizes(sites=1)
OWNER, BY_SITE, STRANGER = "an owner of another workspace", "a member by site", "somebody who is in no workspace"
HEX = re.compile("[0-9a-f]{32}")


@dataclass
class Both:
    """Whoever asks, and what is not theirs: each of `hidden` stands beside something of its shape that is nowhere."""

    asking: Asking
    own: Owner
    foreign: Owner
    hidden: dict[str, str]
    cursors: dict[str, str]

    def unknown(self, said: Any) -> Any:
        """The same with what is nowhere, at the same place in every order."""
        text = json.dumps(said)
        for foreign, nowhere in self.hidden.items():
            text = text.replace(foreign, nowhere)
        return json.loads(text)

    async def answer(self, operation: Operation) -> Any:
        if not operation.text.startswith("subscription"):
            return await self.asking.whole(operation.text, **operation.variables)
        async with asyncio.timeout(20), aclosing(self.asking.events(operation.text, **operation.variables)) as events:
            return await anext(events)


def beside(hex: str) -> str:
    return f"{int(hex, 16) ^ 1:032x}"


def owner(asking: Asking, there: Filled, mark: str, slug: str, more: dict[Kind, str]) -> Owner:
    ids = {kind: there.readable(kind)[0] if kind in there.ids else encode(kind, new_id()) for kind in Kind}
    ids |= {Kind.RUNNER: encode(Kind.RUNNER, asking.runner_id), **more}
    texts = {"Workspace.slug": slug, "Site.slug": f"{mark}-0", "Page.path": f"/{mark}/000"}
    return Owner(ids, defaultdict(lambda: mark, texts))


async def cursors_of(asking: Asking, there: Owner, shown: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """One cursor of each list that names what is hidden, by list; and what stands beside each."""
    found, nowhere = dict[str, str](), dict[str, str]()
    for operation in listing(there):
        said = json.dumps(await asking.whole(operation.text, **operation.variables))
        for cursor in re.findall('"cursor": "([^"]+)"', said):
            name, *parts = read_cursor(cursor) or [""]
            other = [beside(part) if HEX.fullmatch(part) and part not in shown else part for part in parts]
            if other != parts and operation.what not in found:
                found[operation.what] = cursor
                nowhere[cursor] = write_cursor(name, other[0], other[1:])
    return found, nowhere


async def both(asking: Asking, who: str) -> Both:
    theirs = await fill(asking.database, asking.workspace_id, asking.runner_id, SMALL, "walled")
    invited = await change(
        asking, "invitationCreate", "invitation { id }", workspace=asking.workspace, email="walled@example.com"
    )
    assert asking.actor.user_id is not None
    more = {Kind.USER: encode(Kind.USER, asking.actor.user_id), Kind.INVITATION: invited["invitation"]["id"]}
    foreign = owner(asking, theirs, "walled", "acme", more)
    workspace_id, actor, slug, shown = asking.workspace_id, asking.actor, "acme", set[str]()
    if who == BY_SITE:
        shown = {asking.workspace_id.hex, *(id.hex for id in theirs.ids[Kind.PROFILE])}
    else:
        workspace_id, actor = await new_workspace(asking.database, slug := "zebra")
    mine = await fill(asking.database, workspace_id, asking.runner_id, SMALL, "zebras")
    site = mine.ids[Kind.SITE][0]
    actor = {
        OWNER: replace(actor, session_id=new_id()),
        BY_SITE: Actor({workspace_id: Role.ADMIN}, user_id=new_id(), sites={workspace_id: frozenset({site})}),
        STRANGER: Actor(user_id=new_id(), session_id=new_id()),
    }[who]
    own = {id.hex for ids in mine.ids.values() for id in ids}
    cursors, nowhere = await cursors_of(asking, foreign, shown | own)
    hexes = {id.partition("_")[2] for id in foreign.ids.values()} - shown - {asking.runner_id.hex}
    words = {"walled": "wallee"} | ({} if who == BY_SITE else {"acme": "acmf"})
    hidden = nowhere | {hex: beside(hex) for hex in hexes} | words
    asker = replace(asking, workspace_id=workspace_id, actor=actor)
    return Both(asker, owner(asking, mine, "zebras", slug, {}), foreign, hidden, cursors)


@pytest.mark.parametrize("who", [OWNER, BY_SITE, STRANGER])
async def test_what_is_anothers_is_answered_like_what_is_nowhere(asking: Asking, who: str) -> None:
    there = await both(asking, who)
    assert len(there.cursors) > 10
    asked = set[str]()
    for operation in naming_one(there.own, there.foreign, there.cursors):
        variables = there.unknown(operation.variables)
        if variables != operation.variables:
            foreign, nowhere = [await there.answer(each) for each in (operation, replace(operation, variables=variables))]
            assert MASK not in str(foreign), (operation, foreign)
            assert json.dumps(there.unknown(foreign)) == json.dumps(nowhere), operation
            asked.add(operation.what)
    theirs = {"Query.workspace(slug)"} if who == BY_SITE else set[str]()  # they are in it
    assert asked == arguments() - theirs


async def test_what_is_of_a_hidden_site_is_changed_no_more_than_what_is_nowhere(asking: Asking) -> None:
    there, asked = await both(asking, BY_SITE), set[str]()
    for operation in changing(there.own, there.foreign):
        variables = there.unknown(operation.variables)
        if variables != operation.variables:
            foreign, nowhere = [await there.answer(each) for each in (operation, replace(operation, variables=variables))]
            assert MASK not in str(foreign), (operation, foreign)
            assert json.dumps(there.unknown(foreign)) == json.dumps(nowhere), operation
            asked.add(operation.what)
    assert len(asked) > 20
