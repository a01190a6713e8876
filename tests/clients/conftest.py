"""What the clients talk to: a Pacemark that is up, and a site that it can measure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.running import staying
from tests.clients.house import House
from tests.infra.engines.local_site import Page, Site, site


@pytest.fixture(scope="session")
def pages() -> Iterator[Site]:
    with site() as serving:
        serving.pages["/"] = Page(b"<!doctype html><title>t</title><h1>Hello</h1>")
        yield serving


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, pages: Site) -> Iterator[House]:
    home = tmp_path_factory.mktemp("clients")
    with staying(home, "up", "--data", "data") as server:
        yield House(server, home, pages)
    assert server.errors.read_text() == ""
