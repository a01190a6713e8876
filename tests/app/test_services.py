"""Over PostgreSQL, NATS and Redis: what a process says when one of them is missing, and that three processes work as one."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import servers
from tests.app.running import Server, pacemark, staying, until
from tests.infra.engines.local_site import Page, site
from tests.servers import PostgresServer

pytestmark = pytest.mark.slow

NOWHERE = "127.0.0.1:1"
ASK = """mutation ($url: String!) { auditRequest(input: {target: {url: $url}}) {
  ... on AuditRequestPayload { audit { id } } } }"""
TELL = "query ($id: ID!) { audit(id: $id) { state } }"


@pytest.fixture
async def settings(postgres_server: PostgresServer, nats_url: str) -> dict[str, str]:
    """Of an installation of its own, not migrated yet."""
    name = f"services_{secrets.token_hex(6)}"
    return {
        **await postgres_server.create_installation(name),
        "nats_url": nats_url,
        "nats_prefix": name,
        "allow_private_targets": "true",
    }


def refusal(home: Path, settings: dict[str, str], **changed: str) -> str:
    """The last line that `pacemark serve` says before it refuses."""
    done = pacemark(home, "serve", "--port", "0", **{**settings, **changed})
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr.splitlines()[-1]


async def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path, settings: dict[str, str], nats_url: str) -> None:
    assert refusal(tmp_path, settings).endswith("Run: pacemark migrate")
    assert pacemark(tmp_path, "migrate", **settings).returncode == 0
    away = "NATS cannot be reached: see that it runs where PACEMARK_NATS_URL says."
    assert refusal(tmp_path, settings, nats_url=f"nats://{NOWHERE}") == away
    assert refusal(tmp_path, settings, nats_prefix="other") == (
        "There is no stream OTHER_JOBS on this NATS server. Run: pacemark migrate"
    )
    together = (
        "PostgreSQL and NATS go together: set both PACEMARK_DATABASE_URL and PACEMARK_NATS_URL, such as "
        "nats://127.0.0.1:4222, or neither."
    )
    assert refusal(tmp_path, settings, nats_url="") == together
    assert refusal(tmp_path, settings, database_url="") == together
    assert refusal(tmp_path, settings, database_url=f"postgresql://x@{NOWHERE}/x").startswith(
        "The database cannot be reached: "
    )
    assert refusal(tmp_path, settings, redis_url=nats_url.replace("nats", "redis")) == (
        "What answers at the address of Redis does not speak Redis' protocol."
    )


async def test_in_production_no_role_passes_the_walls_by(tmp_path: Path, settings: dict[str, str]) -> None:
    assert pacemark(tmp_path, "migrate", **settings).returncode == 0
    production = {
        **settings,
        "env": "production",
        "secret": secrets.token_urlsafe(32),
        "public_url": "https://pacemark.example",
        "mail_url": "smtps://mail.example",
        "mail_from": "pacemark@pacemark.example",
        "allow_private_targets": "false",
    }
    owner = settings["migration_url"]
    assert refusal(tmp_path, production, database_url=owner) == (
        "The role of PACEMARK_DATABASE_URL is a superuser, has BYPASSRLS, owns tables: in production it may do none of that. "
        "Create one that may only log in, name it in PACEMARK_DATABASE_URL and the owner in PACEMARK_MIGRATION_URL, and run: "
        "pacemark migrate"
    )
    with staying(tmp_path, "serve", **production) as api:
        assert api.base == "https://pacemark.example"
    with staying(tmp_path, "serve", **{**settings, "database_url": owner}) as developing:
        assert httpx.get(developing.base + "/readyz").json()["ready"] is True


@pytest.fixture
def fleet(tmp_path: Path, settings: dict[str, str], free_port: int) -> Iterator[tuple[Server, str, servers.ValkeyServer]]:
    """A migrated installation with an API, a worker and a scheduler; a key; and its Redis."""
    with servers.valkey_server() as redis:
        given = {**settings, "redis_url": redis.url}
        assert pacemark(tmp_path, "migrate", **given).returncode == 0
        key = pacemark(tmp_path, "keys", "create", "k", "--role", "OWNER", **given).stdout.strip()
        with (
            staying(tmp_path, "serve", **given) as api,
            staying(tmp_path, "worker", answers=False, **given),
            staying(tmp_path, "scheduler", answers=False, metrics_port=str(free_port), **given),
        ):
            yield api, key, redis


async def test_three_processes_work_as_one_and_say_what_they_lack(
    fleet: tuple[Server, str, servers.ValkeyServer],
) -> None:
    api, key, redis = fleet
    parts = {"ready": True, "database": "ok", "migrations": "ok", "bus": "ok"}
    assert httpx.get(api.base + "/readyz").json() == {**parts, "cache": "ok"}
    with site() as pages:
        pages.pages["/"] = Page(b"<!doctype html><title>t</title>")
        audit = api.query(ASK, key=key, url=pages.origin + "/")["auditRequest"]["audit"]["id"]
        until(lambda: api.query(TELL, key=key, id=audit)["audit"]["state"] == "FINISHED")
        redis.stop()
        until(lambda: httpx.get(api.base + "/readyz").json() == {**parts, "cache": "away, limits are counted per process"})
        second = api.query(ASK, key=key, url=pages.origin + "/")["auditRequest"]["audit"]["id"]
        until(lambda: api.query(TELL, key=key, id=second)["audit"]["state"] == "FINISHED")
    redis.start()
    until(lambda: httpx.get(api.base + "/readyz").json() == {**parts, "cache": "ok"})
    shown = httpx.get(api.base + "/metrics").text
    assert 'pacemark_jobs_waiting{kind="audits.probe"}' not in shown  # nothing waits, so there is no such queue
    assert "graphql_operations_total" in shown
    assert "pacemark_events_unpublished 0" in shown


def fetched(url: str) -> Any:
    """What answers there; None when nobody does."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url).json()


async def test_a_process_without_a_port_of_its_own_is_watched_on_one_that_is_given_to_it(
    fleet: tuple[Server, str, servers.ValkeyServer], free_port: int, tmp_path: Path, settings: dict[str, str]
) -> None:
    watching = f"http://127.0.0.1:{free_port}"
    assert until(lambda: fetched(watching + "/healthz")) == {"alive": True}
    assert httpx.get(watching + "/readyz").json()["ready"]
    shown = httpx.get(watching + "/metrics").text
    assert 'service_name="pacemark-scheduler"' in shown
    assert "pacemark_events_unpublished 0" in shown
    done = pacemark(tmp_path, "worker", metrics_port=str(free_port), **settings)
    assert (done.returncode, done.stderr) == (
        2,
        f"Port {free_port} of 127.0.0.1 is taken. Choose another: PACEMARK_METRICS_PORT={free_port + 1}\n",
    )
