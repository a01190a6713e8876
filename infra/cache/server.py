"""The Redis at an address: connecting to it, and whether it will ever do."""

from __future__ import annotations

import asyncio
import re
import ssl
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

OLDEST = (6, 2)
CHECK_PATIENCE = 5.0

_VERSION = re.compile(r"^redis_version:(\d{1,5})\.(\d{1,5})", re.MULTILINE)


class RedisUnusable(Exception):  # noqa: N818 - a sentence for whoever set the address
    """This address or its server will not do, however long one waits."""


def connection_to(url: str) -> AbstractConnection:
    """Not connected yet. Its time is limited by whoever uses it. Raises RedisUnusable."""
    try:
        options: dict[str, Any] = dict(parse_url(url))
        kind = options.pop("connection_class", Connection)
        # RESP 2 without a greeting: a connection costs no round trip before the first command, and any proxy takes it.
        options |= {"protocol": 2, "driver_info": None, "decode_responses": False}
        options |= {"socket_timeout": None, "socket_connect_timeout": None, "health_check_interval": 0}
        connection: AbstractConnection = kind(**options)
    except (ValueError, TypeError, RedisError, OSError):
        # Not its own words, which may have parts of the address, and so of a password.
        raise RedisUnusable(
            "The address of Redis is none: it is redis://[user:password@]host:port/0, rediss:// for TLS, "
            "or unix:///path/to/socket."
        ) from None
    return connection


async def check_server(connection: AbstractConnection) -> None:
    """Raises RedisUnusable. A server that cannot be reached, is busy loading or full may do later: no error."""
    try:
        async with asyncio.timeout(CHECK_PATIENCE):
            told = await _info(connection)
    except AuthenticationError as error:
        raise RedisUnusable(f"Redis refuses the user or the password of its address: {reason(error)}") from None
    except InvalidResponse:
        raise RedisUnusable("What answers at the address of Redis does not speak Redis' protocol.") from None
    except NoPermissionError as error:
        raise RedisUnusable(f"Redis lets its user not run INFO, which tells the version: {reason(error)}") from None
    except (BusyLoadingError, RedisTimeoutError, TimeoutError):
        return
    except (RedisConnectionError, OSError) as error:
        if isinstance(error.__context__, ssl.SSLError):
            raise RedisUnusable(f"Redis cannot be reached over TLS: {reason(error)}") from None
        return
    except ResponseError as error:
        raise RedisUnusable(f"Redis does not take the address: {reason(error)}") from None
    finally:
        await connection.disconnect(nowait=True)
    version = _VERSION.search(told)
    if version is None:
        raise RedisUnusable("What answers at the address of Redis is no Redis: it tells no redis_version.")
    if (int(version[1]), int(version[2])) < OLDEST:
        raise RedisUnusable(f"Redis {version[1]}.{version[2]} is too old: Pacemark needs Redis 6.2 or later, or Valkey.")


def reason(error: Exception) -> str:
    """One line of what went wrong; a server's own words are not trusted to be one."""
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    return " ".join(re.sub(r"[^ -~]", " ", str(error) or type(error).__name__).split())[:200]


async def _info(connection: AbstractConnection) -> str:
    raw: Any = connection
    await raw.connect()
    await raw.send_command("INFO", "server")
    said = await raw.read_response()
    return said.decode(errors="replace") if isinstance(said, bytes) else ""
