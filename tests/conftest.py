"""What every test may ask for. The servers start when the first test of a worker wants them, one set a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import servers
from tests.databases import database, database_url, owner_url
from tests.engine_off import pytest_addoption, pytest_configure, without_plans
from tests.no_skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = [
    "database",
    "database_url",
    "owner_url",
    "pytest_addoption",
    "pytest_configure",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
]


# How long an example takes on a busy machine says nothing of the code.
settings.register_profile("without a clock", deadline=None)
settings.load_profile("without a clock")

# `make test` asks the graph and these rooms on SQLite alone, `make test-all` on PostgreSQL too. Where databases differ most
# (infra, jobs, claims, the history), both take both.
SLOW = (
    "tests/graph/",
    *(
        f"tests/domain/{room}/"
        for room in (
            "accounts",
            "alerts",
            "budgets",
            "documents",
            "keys",
            "mails",
            "marks",
            "notifications",
            "schedules",
            "security",
            "sites",
            "snapshots",
            "verdicts",
            "workspaces",
        )
    ),
)

# Walks over the whole schema, beside those over the walls and the sites, which `make test` takes.
WALKS = (
    "tests/graph/test_permissions.py",
    "tests/graph/test_unknown.py",
    "tests/graph/transports/test_unauthenticated.py",
    "tests/app/test_former_credentials.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    without_plans(config, items)
    for item in items:
        if item.nodeid.startswith(WALKS) or (item.nodeid.startswith(SLOW) and "postgresql" in item.nodeid):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.PostgresServer]:
    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def nats_url() -> Iterator[str]:
    with servers.nats() as url:
        yield url


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    with servers.valkey() as url:
        yield url


@pytest.fixture
def free_port() -> int:
    return servers.free_port()
