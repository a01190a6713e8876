"""Chooses the implementations: the only place that knows which technology stands behind which port."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app import folder
from app.settings import Settings
from domain import sites
from domain.measuring import Engine, EngineName
from domain.ports import Storage
from infra.bus.outbox import OutboxBus
from infra.db.database import SqlDatabase
from infra.engines.guard import Guard
from infra.engines.lighthouse import LighthouseEngine
from infra.engines.pagespeed import PageSpeedEngine
from infra.engines.probe import ProbeEngine
from infra.storage.disk import DiskStorage
from infra.storage.s3 import S3Storage

LIGHTHOUSE_LOCK = Path(tempfile.gettempdir()) / "pacemark-lighthouse.lock"
"""One Lighthouse per machine, whoever started it: two at once would measure one another."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything that a process works with."""

    settings: Settings
    database: SqlDatabase
    bus: OutboxBus
    storage: Storage
    engines: Mapping[EngineName, Engine]
    seal: sites.Seal
    pepper: bytes = field(repr=False)
    link_secret: bytes = field(repr=False)


@asynccontextmanager
async def wire(settings: Settings, *, allow_private: bool = False) -> AsyncGenerator[House, None]:
    """Open everything over a migrated database, and close it in the end.

    A setting about private targets goes before `allow_private`.
    """
    if settings.allow_private_targets is not None:
        allow_private = settings.allow_private_targets
    folder.make(settings.data)
    database = SqlDatabase(settings.database)
    bus = OutboxBus(database.reader)
    database.committed = bus.wake
    try:
        await bus.start()
        yield House(
            settings=settings,
            database=database,
            bus=bus,
            storage=_storage(settings),
            engines=_engines(settings, Guard(allow_private=allow_private)),
            seal=sites.Seal((settings.derive_text("access"),)),
            pepper=settings.derive("keys"),
            link_secret=settings.derive("links"),
        )
    finally:
        await bus.stop()
        await database.close()


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


def _engines(settings: Settings, guard: Guard) -> Mapping[EngineName, Engine]:
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
        PageSpeedEngine(key, base_url=url) if url else PageSpeedEngine(key),
    ]
    return {engine.name: engine for engine in engines}
