"""Files in a bucket of Amazon S3 or of anything that speaks its protocol (Cloudflare R2, SeaweedFS, Ceph, …)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store

from .objects import checked, read

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Config


class S3Storage:
    """The bucket must exist. `prefix` lets several installations share one; `endpoint` None means Amazon's own."""

    def __init__(
        self,
        bucket: str,
        *,
        endpoint: str | None,
        access_key_id: str,
        secret_access_key: str,
        region: str,
        prefix: str = "",
    ) -> None:
        config: S3Config = {
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "region": region,
        }
        options: ClientConfig = {}
        if endpoint is not None:
            config["endpoint"] = endpoint
            options["allow_http"] = endpoint.startswith("http://")
        self._store = S3Store(bucket, prefix=prefix or None, config=config, client_options=options)

    async def put(self, key: str, data: bytes, *, content_type: str, content_encoding: str | None = None) -> None:
        attributes = {"Content-Type": content_type}
        if content_encoding is not None:
            attributes["Content-Encoding"] = content_encoding
        await obstore.put_async(self._store, checked(key), data, attributes=attributes)

    async def get(self, key: str) -> bytes:
        return await read(self._store, key)

    async def delete(self, keys: Sequence[str]) -> None:
        if keys:
            await obstore.delete_async(self._store, [checked(key) for key in keys])

    async def link(self, key: str, *, seconds: int) -> str | None:
        return await obstore.sign_async(self._store, "GET", checked(key), timedelta(seconds=seconds))
