"""A Pacemark for clients: its keys, registered documents and audits, made by its own commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.app.running import Server, pacemark, until
from tests.infra.engines.local_site import Site

OPERATIONS = Path(__file__).parent / "operations"
VIEWER, ASK, WATCH, FOLLOW = ((OPERATIONS / f"{name}.graphql").read_text() for name in ("viewer", "ask", "watch", "follow"))


@dataclass
class House:
    """Keeps its data in `data` below `home`, and measures `pages`."""

    server: Server
    home: Path
    pages: Site

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def key(self) -> str:
        """That of the owner: `first key`."""
        return self.server.key

    @property
    def place(self) -> dict[str, str]:
        """Where it is, and its workspace's id."""
        return {"url": self.url, "workspace": self._workspace["id"]}

    @property
    def cursor(self) -> str:
        """The present end of the workspace's history."""
        cursor: str = self.server.query('{ workspace(slug: "default") { eventCursor } }')["workspace"]["eventCursor"]
        return cursor

    @property
    def wish(self) -> dict[str, Any]:
        """The input that asks for the site's page, measured once and without a browser."""
        profile = next(each["id"] for each in self._workspace["profiles"] if each["engine"] == "PROBE")
        target = {"url": f"{self.pages.origin}/"}
        return {"workspace": self._workspace["id"], "target": target, "profile": profile, "runs": 1}

    def audit(self, key: str | None = None) -> str:
        """The id of an audit that was asked for, and is finished."""
        id: str = self.server.query(ASK, key=key, input=self.wish)["auditRequest"]["audit"]["id"]
        self.finish(id)
        return id

    def finish(self, audit: str) -> None:
        """Waits until it is finished, so that nobody else hears of it."""
        state = "query ($id: ID!) { audit(id: $id) { state } }"
        until(lambda: self.server.query(state, id=audit)["audit"]["state"] == "FINISHED")

    def run(self, *words: str) -> str:
        """What a `pacemark` command printed that did well."""
        done = pacemark(self.home, *words, "--data", "data")
        assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
        return done.stdout.strip()

    def make_key(self, name: str, *options: str) -> str:
        return self.run("keys", "create", name, *options)

    def revoke(self, key: str) -> None:
        self.run("keys", "revoke", key.rpartition("_")[0])

    def make_client(self, name: str) -> str:
        """A key of a new client that may ask for registered documents only; client and key have this name."""
        self.run("clients", "create", name, "--mode", "REGISTERED_ONLY")
        return self.make_key(name, "--client", name)

    def push(self, manifest: Path, client: str) -> str:
        """What was pushed for the client, as it was told last."""
        return self.run("documents", "push", str(manifest), "--client", client, "--version", "1.0.0").splitlines()[-1]

    @cached_property
    def _workspace(self) -> Mapping[str, Any]:
        workspace: Mapping[str, Any] = self.server.query('{ workspace(slug: "default") { id profiles { id engine } } }')[
            "workspace"
        ]
        return workspace
