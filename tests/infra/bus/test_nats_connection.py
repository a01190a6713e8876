"""The connection comes back by itself, waits for nobody for ever, and shows nobody what it logs in with."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from domain.ids import new_id
from infra.bus.nats import BusAway, NatsBus, Patience
from infra.bus.nats.addresses import read as read_addresses
from infra.bus.nats.session import Session
from infra.db.database import SqlDatabase
from tests import servers
from tests.infra.bus.nats_world import KIND, KINDS, QUICK, call, eventually, on_sqlite, server, world_on

__all__ = ["server"]
pytestmark = [on_sqlite, pytest.mark.slow]


@asynccontextmanager
async def bus_on(url: str, database: SqlDatabase, **options: Any) -> AsyncGenerator[NatsBus, None]:
    bus = NatsBus(url, reader=database.reader, **{"patience": QUICK, **options})
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


async def test_a_server_that_is_away_at_the_start_is_no_error(
    database: SqlDatabase, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "infra")
    async with bus_on(f"nats://127.0.0.1:{free_port}", database) as bus:
        with pytest.raises(BusAway, match=r"^NATS is away[.]$"):
            await bus.send([call()])
        with pytest.raises(BusAway):
            await bus.declare(new_id(), 1, KINDS)
        assert not bus.connected
        with servers.nats_server(port=free_port):
            await eventually(lambda: bus.connected, 5)
            await bus.declare(new_id(), 1, KINDS)
    assert [record.message for record in caplog.records] == [
        f"NATS at 127.0.0.1:{free_port} is away (ConnectionRefusedError); trying again until it is back.",
        f"NATS at 127.0.0.1:{free_port} is back.",
    ]


async def test_a_killed_server_is_noticed_at_once_and_found_again(
    server: servers.NatsServer, database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "infra")
    async with world_on(server.url, database) as world:
        server.kill()
        await eventually(lambda: not world.bus.connected, 1)
        with pytest.raises(BusAway):
            await world.bus.send([call()])
        server.start()
        await eventually(lambda: world.bus.connected, 5)
        await world.bus.check(world.history_id, KINDS)
    assert [record.message for record in caplog.records] == [
        f"NATS at 127.0.0.1:{server.port} is away (the connection ended); trying again until it is back.",
        f"NATS at 127.0.0.1:{server.port} is back.",
    ]


async def test_a_frozen_server_is_noticed_in_time_and_found_again(
    server: servers.NatsServer, database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    async with world_on(server.url, database, patience=Patience(answer=0.5, ping=2, ack=30)) as world:
        loop = asyncio.get_running_loop()
        server.freeze()
        for attempt in (lambda: world.bus.send([call()]), world.bus.last):
            started = loop.time()
            with pytest.raises(BusAway, match=r"^NATS did not answer within 0.5 s[.]$"):
                await attempt()
            assert loop.time() - started < 1.5
        await eventually(lambda: not world.bus.connected)
        assert "is away (it does not answer)" in caplog.text
        started = loop.time()
        with pytest.raises(BusAway, match=r"^NATS is away[.]$"):
            await world.bus.send([call()])
        assert loop.time() - started < 0.2
        server.thaw()
        await eventually(lambda: world.bus.connected)
        await world.bus.send([call()])


async def test_what_a_frozen_server_does_not_take_is_not_waited_for(server: servers.NatsServer, database: SqlDatabase) -> None:
    """The buffers of both machines are full, so that nothing more can be written to the connection."""
    before = asyncio.all_tasks()
    async with world_on(server.url, database, patience=Patience(answer=0.5, ping=1, ack=30)) as world:
        rows = await world.say(40, {"text": "x" * 500_000})
        server.freeze()
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(BusAway):
            await world.bus.publish(rows)
        assert loop.time() - started < 5
        await eventually(lambda: not world.bus.connected)
        server.thaw()
        await eventually(lambda: world.bus.connected)
        await world.relay()
        assert await world.bus.last() == 40
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("frozen", [True, False], ids=["full", "empty"])
def test_a_connection_that_is_lost_in_the_middle_of_writing_leaves_no_task_behind(
    server: servers.NatsServer, database_url: str, loop: Callable[[], asyncio.AbstractEventLoop], frozen: bool
) -> None:
    async def lose() -> None:
        before = asyncio.all_tasks()
        session = await Session.open(read_addresses(server.url)[0], name="here", ping=5)
        await session.inbox()
        if frozen:
            server.freeze()
        for _ in range(40):
            await session.publish("somewhere", b"x" * 500_000)
            await asyncio.sleep(0)
        server.kill()
        await session.publish("somewhere", b"x")
        while not session.lost.is_set():
            await asyncio.sleep(0)
            with contextlib.suppress(BusAway):
                await session.publish("somewhere", b"x")
        await eventually(lambda: asyncio.all_tasks() == before, 2)
        await session.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(lose())


async def test_a_server_that_ends_the_connection_with_a_word_is_left_at_once(nats_url: str, database: SqlDatabase) -> None:
    clients: list[asyncio.StreamWriter] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clients.append(writer)
        theirs, ours = await asyncio.open_connection("127.0.0.1", int(nats_url.rpartition(":")[2]))
        await asyncio.gather(pass_on(reader, ours), pass_on(theirs, writer))

    listening: Any = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        url = f"nats://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with bus_on(url, database, patience=Patience()) as bus:
            await eventually(lambda: bus.connected)
            clients[0].write(b"-ERR 'Maximum Connections Exceeded'\r\n")
            await eventually(lambda: not bus.connected, 2)
            await eventually(lambda: bus.connected)


async def test_stopping_leaves_no_task_behind(server: servers.NatsServer, database: SqlDatabase, free_port: int) -> None:
    before = asyncio.all_tasks()
    async with world_on(server.url, database) as world, world.bus.calls(KIND) as calls:
        assert await calls.next(0.05) is None
        await world.publish(2)
        events = world.bus.events(0)
        assert (await anext(events)).sequence == 1
        world.bus.wake()
    await events.aclose()  # type: ignore[attr-defined]
    assert asyncio.all_tasks() == before
    async with bus_on(f"nats://127.0.0.1:{free_port}", database):
        await asyncio.sleep(0.1)
    assert asyncio.all_tasks() == before


async def test_stopping_waits_for_no_frozen_server(
    server: servers.NatsServer, database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    before = asyncio.all_tasks()
    loop = asyncio.get_running_loop()
    async with world_on(server.url, database) as world, world.bus.calls(KIND) as calls:
        assert await calls.next(0.05) is None
        await world.bus.send([call()])
        server.freeze()
        started = loop.time()
    assert loop.time() - started < 5
    assert asyncio.all_tasks() == before
    assert {record.name for record in caplog.records} <= {"infra.bus.nats.connection"}


async def test_the_next_of_several_servers_is_taken(server: servers.NatsServer, database: SqlDatabase, free_port: int) -> None:
    url = f"nats://127.0.0.1:{free_port},nats://127.0.0.1:{server.port}"
    async with bus_on(url, database) as bus:
        await eventually(lambda: bus.connected, 5)


@pytest.mark.parametrize("given", ["admin:s3cr%2Ft", "t0ken%40"])
async def test_a_user_or_a_token_in_the_address_logs_in(
    given: str, database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options = ["--user", "admin", "--pass", "s3cr/t"] if ":" in given else ["--auth", "t0ken@"]
    with servers.nats_server("-js", *options) as server:
        async with world_on(f"nats://{given}@127.0.0.1:{server.port}", database) as world:
            await world.bus.check(world.history_id, KINDS)
            shown = "".join(map(repr, (world.bus, *vars(world.bus).values(), *vars(world.bus._connection).values())))
    for secret in (given, "s3cr", "t0ken"):
        assert secret not in caplog.text + shown


@pytest.mark.parametrize("given", ["admin:wr0ng", "wr0ng", "admin:"])
async def test_a_wrong_password_is_told_and_not_shown(
    given: str, database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with servers.nats_server("-js", "--user", "admin", "--pass", "s3cret") as server:
        async with bus_on(f"nats://{given}@127.0.0.1:{server.port}", database) as bus:
            await eventually(lambda: "is away" in caplog.text)
            with pytest.raises(BusAway) as caught:
                await bus.last()
            assert not bus.connected
    reason = "it refuses the user, the password or the token"
    assert f"NATS at 127.0.0.1:{server.port} is away ({reason}); trying again until it is back." in caplog.messages
    assert "wr0ng" not in caplog.text + repr(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://hunter2@127.0.0.1",
        "nats://",
        "nats://user:hunter2@",
        "nats://user:hunter2@host:port",
        "nats://user:hunter2#@host",
        "nats://user:hunter2@host/path",
        "nats://user:hunter2@host?query",
        "nats://user:hunter2@ho st",
        "nats://user:hunter2@host,",
        "nats://user:hunter2@[::1",
        "nats://user:hunter2@host:99999",
        "ws://user:hunter2@host",
    ],
)
async def test_an_address_that_is_none_is_refused_and_not_quoted(url: str, database: SqlDatabase) -> None:
    with pytest.raises(
        ValueError, match=r"^A NATS address looks like nats://host:4222 or tls://user:password@host:4222"
    ) as caught:
        NatsBus(url, reader=database.reader)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


async def test_tls_is_spoken_when_the_address_asks_for_it(
    database: SqlDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    options = ["-js", "--tls", "--tlscert", tmp_path / "certificate.pem", "--tlskey", tmp_path / "key.pem"]
    with servers.nats_server(*options, "--user", "admin", "--pass", "s3cret") as server:
        url = f"tls://admin:s3cret@localhost:{server.port}"
        async with bus_on(url, database) as bus:
            with pytest.raises(BusAway):
                await bus.last()  # nobody vouches for the certificate
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        async with bus_on(url, database) as bus:
            assert await bus.last() == -1


async def test_what_one_logs_in_with_is_not_said_in_the_clear_where_tls_was_asked_for(
    database: SqlDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    said = bytearray()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"X","version":"2.15.0","max_payload":1048576,"auth_required":true}\r\n')
        said.extend(await reader.read())
        writer.close()

    listening: Any = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        async with bus_on(f"tls://admin:s3cret@127.0.0.1:{port}", database) as bus:
            await eventually(lambda: "is away" in caplog.text)
            assert not bus.connected
    assert said == b""
    assert f"NATS at 127.0.0.1:{port} is away (it offers no TLS, which tls:// asks for); trying again until it is back." in (
        caplog.messages
    )


async def test_what_an_account_may_not_do_is_told(
    database: SqlDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = tmp_path / "nats.conf"
    allowed = 'permissions: {publish: ["$JS.API.>"], subscribe: ["_INBOX.>"]}'
    settings.write_text('authorization { users: [ {user: "u", password: "p", ' + allowed + "} ] }")
    with servers.nats_server("-js", "-c", settings) as server:
        async with bus_on(f"nats://u:p@127.0.0.1:{server.port}", database, prefix="ours") as bus:
            await bus.declare(new_id(), 1, KINDS)
            with pytest.raises(BusAway, match=r"^NATS did not answer within 1 s[.]$"):
                await bus.send([call()])
    assert caplog.messages == [
        'NATS does not allow something that Pacemark needs: permissions violation for subscription to "ours.wake"',
        'NATS does not allow something that Pacemark needs: permissions violation for publish to "ours.jobs.audits.probe"',
    ]
