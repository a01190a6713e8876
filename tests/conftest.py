"""What every test may ask for. The servers start when the first test of a worker wants them, one set a worker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from types import ModuleType

import pytest
from alembic.util import pyfiles
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

# Each migration would be read and compiled anew for each database that a test begins with, which takes as long as all the rest.
_read, _found = pyfiles.load_module_py, dict[str, ModuleType]()


def _read_once(module_id: str, path: str | PathLike[str]) -> ModuleType:
    if Path(path).name == "env.py":  # reading it is what migrates
        return _read(module_id, path)
    return _found.get(str(path)) or _found.setdefault(str(path), _read(module_id, path))


pyfiles.load_module_py = _read_once

# `make test` asks the graph and these rooms on SQLite alone, `make test-all` on PostgreSQL too. Where databases differ most
# (infra, jobs, claims), both take both.
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

# What repeats quick tests: with other actors, on PostgreSQL, over every transport, by commands or several programs at once.
LONG = re.compile(
    r"tests/(graph/test_walls.py::test_nothing_of_another_workspace_can_be_changed\[.*an actor"
    r"|graph/test_by_site.py::test_nothing_of_another_site.*(MEMBER|OWNER)"
    r"|infra/test_migrate.py::test_of_programs_that_migrate_at_once"
    r"|house/test_migrations.py::test_a_difference"
    r"|house/test_no_skips.py"
    r"|app/test_(channels|documents|jobs|mails|schedules|schema)_command.py"
    r"|app/test_audit_command.py::test_it_works_over_postgresql_too"
    r"|house/test_containers.py::test_every_process_has_its_service"
    r"|graph/test_walls.py::.*a person over HTTP"
    r"|graph/execution/test_plans.py::test_changes_are_made.*0\.1"
    r"|domain/jobs/test_jobs.py::test_ten_thousand.*postgresql"
    r"|app/test_pages.py::.*\[(forgot|verify|reset|invitation)"
    r"|graph/test_introspection.py"
    r"|infra/(oidc/test_provider|telemetry/test_telemetry).py"
    r"|graph/transports/test_(limits|refusals)_everywhere.py"
    r"|graph/execution/test_serial.py::test_both_engines"
    r"|domain/audits/test_(actions|conditions|keeping|newest|results|series).py::.*postgresql"
    r"|domain/test_following.py::.*postgresql)"
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
        repeats = item.nodeid.startswith(SLOW) and "postgresql" in item.nodeid
        if repeats or item.nodeid.startswith(WALKS) or LONG.match(item.nodeid):
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
