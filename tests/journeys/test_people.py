"""People's ways through the pages at /auth, in a real browser with real mails; PICTURES=FOLDER keeps what they looked like."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sqlite3
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.app.running import Server, staying
from tests.inbox import Inbox, inbox
from tests.issuer import CLIENT, SECRET, issuing

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

BROWSER = Path(__file__).parents[1] / "browser"
INVITE = """
mutation ($input: InvitationCreateInput!) {
  invitationCreate(input: $input) { ... on InvitationCreatePayload { invitation { id } } }
}"""


@dataclass
class Town:
    """A server that mails, and its mails."""

    server: Server
    box: Inbox
    data: Path

    async def go(self, way: str, *options: str) -> None:
        """A browser goes it; what it asks for it is given."""
        node, pictures = shutil.which("node"), os.environ.get("PICTURES")
        assert node is not None
        words = [node, "people.mjs", self.server.base, way, *options, *(("--pictures", pictures) if pictures else ())]
        going = await asyncio.create_subprocess_exec(*words, cwd=BROWSER, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert going.stdin is not None
        assert going.stdout is not None
        assert going.stderr is not None
        try:
            async with asyncio.timeout(200):
                async for line in going.stdout:
                    going.stdin.write(f"{await self.given(**json.loads(line))}\n".encode())
                said = (await going.stderr.read()).decode()
                assert await going.wait() == 0, said
        finally:
            if going.returncode is None:
                going.kill()
                await going.wait()

    async def given(self, mail: str = "", path: str = "", invite: str = "", expire: str = "") -> str:
        if mail:
            return await self.link(mail, path)
        if invite:
            await asyncio.to_thread(self.invite, invite)
        if expire:
            with sqlite3.connect(self.data / "pacemark.db") as database:
                changed = database.execute("update links set expires_at = created_at where email = ?", (expire,))
                assert changed.rowcount > 0
            database.close()
        return "done"

    async def link(self, address: str, path: str) -> str:
        """The newest one that is mailed to the address; it is given once."""
        async with asyncio.timeout(20):
            while not (found := self.links(address, path)):
                self.box.arrived.clear()
                await self.box.arrived.wait()
        self.box.envelopes.clear()
        return found[-1]

    def links(self, address: str, path: str) -> list[str]:
        texts = [
            body.get_content()
            for message in self.box.messages
            if message["To"] == address and (body := message.get_body(("plain",))) is not None
        ]
        return re.findall(re.escape(f"{self.server.base}{path}?token=") + r"[\w-]+", "\n".join(texts))

    def invite(self, email: str) -> None:
        workspace = self.server.query('{ workspace(slug: "default") { id } }')["workspace"]["id"]
        sent = self.server.query(INVITE, input={"workspace": workspace, "email": email})
        assert sent["invitationCreate"]["invitation"]["id"].startswith("invitation_")


@asynccontextmanager
async def town(folder: Path, registration: str = "open", **more: str) -> AsyncGenerator[Town, None]:
    data = folder / "data"
    async with inbox() as box:
        settings = {"mail_url": box.url, "mail_from": "noreply@pace.example.com", "registration": registration}
        with staying(folder, "up", "--data", str(data), **settings, **more) as server:
            yield Town(server, box, data)
            assert await asyncio.to_thread(server.stop) == 0
    logged = server.errors.read_text()
    assert "token" not in logged
    assert "@example.org" not in logged


async def test_somebody_signs_up_confirms_their_address_signs_in_stays_so_and_signs_out(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        await there.go("sign-up")


async def test_a_forgotten_password_is_replaced_by_a_mail(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        await there.go("forgot")


async def test_whoever_is_invited_signs_up_by_it_and_joins_and_nobody_else_does(tmp_path: Path) -> None:
    async with town(tmp_path, "invited") as there:
        await there.go("invitation")


async def test_what_is_refused_is_said_where_it_belongs_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with town(tmp_path) as there:
        await there.go("refusals")


async def test_another_issuer_leads_back_to_where_somebody_wanted_to_go(tmp_path: Path) -> None:
    async with issuing() as issuer:
        oidc = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
        async with town(tmp_path, **oidc) as there:
            await there.go("issuer", "--issuer", issuer.url)
