"""Chooses the implementations: the only place that knows which technology stands behind which port."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from app import folder
from app.metering import BacklogMeter
from app.settings import Settings
from domain import accounts, audits, documents, history, jobs, keys, mails, notifications, verdicts
from domain.caching import Cache
from domain.keyring import Keyring
from domain.measuring import Engine, EngineName
from domain.metering import Backlog, QueueRow
from domain.ports import Storage
from infra.bus.hub import Hub
from infra.bus.nats import NatsBus
from infra.bus.outbox import OutboxBus
from infra.bus.relay import Relay
from infra.cache.memory import MemoryCache
from infra.cache.redis import RedisCache
from infra.db.database import SqlDatabase
from infra.email.console import ConsoleMailer
from infra.email.rendering import Renderer
from infra.email.servers import MailServer
from infra.email.smtp import SmtpMailer
from infra.engines.guard import Guard
from infra.engines.lighthouse import LighthouseEngine
from infra.engines.pagespeed import PageSpeedEngine
from infra.engines.probe import ProbeEngine
from infra.oidc import OpenIdProvider
from infra.storage.disk import DiskStorage
from infra.storage.s3 import S3Storage
from infra.telemetry import Telemetry
from infra.webhooks import GuardedPoster

KINDS = (*audits.KINDS.values(), mails.KIND, *verdicts.KINDS, audits.JUDGE, notifications.KIND)
"""All the kinds of work there are."""

DEAF = ("worker", "scheduler")
"""The processes that tell nobody of events."""

ANSWERING = ("up", "serve")
"""The processes that Prometheus can ask on the port that everybody asks."""

TEXTS_BYTES = 16 * 1024 * 1024
"""For automatic persisted documents, where there is no Redis."""

LIGHTHOUSE_LOCK = Path(tempfile.gettempdir()) / "pacemark-lighthouse.lock"
"""One Lighthouse per machine, whoever started it: two at once would measure one another."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything that a process works with."""

    settings: Settings
    database: SqlDatabase
    bus: OutboxBus | NatsBus
    hub: Hub
    cache: MemoryCache | RedisCache
    texts: Cache
    telemetry: Telemetry
    backlog: BacklogMeter
    usage: documents.Usage
    key_uses: keys.Uses
    storage: Storage
    engines: Mapping[EngineName, Engine]
    mailer: mails.Mailer
    poster: notifications.Poster
    keyring: Keyring = field(repr=False)
    signing: accounts.Signing = field(repr=False)
    passwords: accounts.Passwords = field(repr=False)
    oidc: OpenIdProvider | None

    @property
    def means(self) -> notifications.Means:
        """What alerts are told with."""
        return notifications.Means(self.poster, self.mailer, self.keyring, self.settings.base_url)


@asynccontextmanager
async def wire(
    settings: Settings, *, process: str | None = None, allow_private: bool = False, live: bool = True
) -> AsyncGenerator[House, None]:
    """Open everything over a migrated database, and close it in the end.

    A setting about private targets goes before `allow_private`. A program that only reads or writes the database needs
    nothing `live`: what it says is carried on by others. One that is no `process` of its own is not watched from outside.

    Raises NatsUnusable, RedisUnusable and BusAway for a process whose services are not there, or not as it needs them.
    """
    if settings.allow_private_targets is not None:
        allow_private = settings.allow_private_targets
    folder.make(settings.data)
    async with AsyncExitStack() as closing:
        telemetry = _telemetry(settings, process)
        # What ends last is told as well; a collector that is away may cost seconds.
        closing.push_async_callback(asyncio.to_thread, telemetry.close)
        database = SqlDatabase(settings.database)
        closing.push_async_callback(database.close)
        bus, hub = await _carrying(settings, database, closing, process, live)
        cache = await _cache(settings, closing, process)
        keyring, passwords = settings.keyring(), accounts.Passwords()
        guard = Guard(allow_private=allow_private)
        closing.callback(passwords.close)
        backlog = closing.enter_context(BacklogMeter(partial(_backlog, database)))
        yield House(
            settings=settings,
            database=database,
            bus=bus,
            hub=hub,
            cache=cache,
            # Of their own in memory: what is kept for a while must not push out what is counted.
            texts=cache if isinstance(cache, RedisCache) else MemoryCache(most_bytes=TEXTS_BYTES),
            telemetry=telemetry,
            backlog=backlog,
            usage=documents.Usage(),
            key_uses=keys.Uses(),
            storage=_storage(settings),
            engines=_engines(settings, guard, cache),
            mailer=_mailer(settings),
            poster=GuardedPoster(guard),
            keyring=keyring,
            signing=accounts.Signing(database, keyring, settings.base_url),
            passwords=passwords,
            oidc=_oidc(settings, closing),
        )


def _telemetry(settings: Settings, process: str | None) -> Telemetry:
    """Spans and metrics of this process, which has them once in its life."""
    telemetry = Telemetry(
        service_name=f"pacemark-{process}",
        service_version=version("pacemark"),
        endpoint=settings.otlp_endpoint if process else None,
        sample=settings.trace_sample,
        metrics=process in ANSWERING or (process is not None and settings.metrics_port is not None),
    )
    telemetry.start()
    return telemetry


async def _backlog(database: SqlDatabase) -> Backlog:
    now = datetime.now(UTC)
    queues = [
        QueueRow(
            kind=row.kind,
            waiting=row.waiting,
            running=row.running,
            dead=row.dead,
            oldest_age_seconds=(now - row.oldest_at).total_seconds() if row.oldest_at else None,
            redeliveries=row.redelivered,
            unsent=row.unsent,
        )
        for row in await jobs.by_kinds(database.reader)
    ]
    return Backlog(queues, await history.unpublished(database.reader))


async def _cache(settings: Settings, closing: AsyncExitStack, process: str | None) -> MemoryCache | RedisCache:
    if settings.redis_url is None:
        return MemoryCache()
    cache = RedisCache(settings.redis_url)
    if process is not None:
        await cache.check()
    await cache.start()
    closing.push_async_callback(cache.close)
    return cache


async def _carrying(
    settings: Settings, database: SqlDatabase, closing: AsyncExitStack, process: str | None, live: bool
) -> tuple[OutboxBus | NatsBus, Hub]:
    """What carries jobs and events: the tables themselves for SQLite, NATS for PostgreSQL."""
    bus: OutboxBus | NatsBus
    relay: Relay | None = None
    if settings.nats_url is None:
        bus = outbox = OutboxBus(database.reader)
        database.committed = lambda work: outbox.wake()
    else:
        bus = NatsBus(settings.nats_url, prefix=settings.nats_prefix, name=holder(), reader=database.reader)
        relay = Relay(database, bus, kinds=KINDS, holder=holder())
    hub = Hub(bus, database.reader)
    if live:
        await bus.start()
        closing.push_async_callback(bus.stop)
        if isinstance(bus, NatsBus) and process is not None:
            # Before anything acts on what lies there.
            await bus.check((await history.state(database.reader)).id, KINDS)
        if process not in DEAF:
            await hub.start()
            closing.push_async_callback(hub.stop)
        if relay is not None:
            database.committed = relay.committed
            await relay.start()
            closing.push_async_callback(relay.stop)
    return bus, hub


def holder() -> str:
    """What people see of who holds a lease or a connection."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _storage(settings: Settings) -> Storage:
    if settings.s3_bucket is None:
        return DiskStorage(settings.data / "files")
    assert settings.s3_access_key_id is not None
    assert settings.s3_secret_access_key is not None
    return S3Storage(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=settings.s3_secret_access_key.get_secret_value(),
        region=settings.s3_region,
    )


def _mailer(settings: Settings) -> mails.Mailer:
    renderer = Renderer(settings.base_url)
    if settings.mail_url is None:
        return ConsoleMailer(renderer, shows=not settings.is_production)
    assert settings.mail_from is not None
    return SmtpMailer(MailServer.parse(settings.mail_url), settings.mail_from, renderer)


def _oidc(settings: Settings, closing: AsyncExitStack) -> OpenIdProvider | None:
    if settings.oidc_issuer is None:
        return None
    assert settings.oidc_client_id is not None
    assert settings.oidc_client_secret is not None
    provider = OpenIdProvider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        redirect_uri=f"{settings.base_url}/auth/oidc/callback",
    )
    closing.push_async_callback(provider.close)
    return provider


def _engines(settings: Settings, guard: Guard, cache: Cache) -> Mapping[EngineName, Engine]:
    key = settings.pagespeed_key.get_secret_value() if settings.pagespeed_key else None
    url = settings.pagespeed_url
    engines: list[Engine] = [
        ProbeEngine(guard),
        LighthouseEngine(
            guard,
            lighthouse=settings.lighthouse,
            chrome=settings.chrome,
            node=settings.node,
            lock_file=LIGHTHOUSE_LOCK,
        ),
        PageSpeedEngine(key, base_url=url, cache=cache) if url else PageSpeedEngine(key, cache=cache),
    ]
    return {engine.name: engine for engine in engines if engine.name in settings.engines}
