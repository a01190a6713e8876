"""Every setting, read once from the environment (PACEMARK_…) or an .env file, and what each environment forbids."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import os
import secrets
import socket
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIN_SECRET = 32


class Environment(StrEnum):
    """`development` listens on loopback only; `test` asks no outside service; `production` needs its own secret."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class SettingsError(Exception):
    """The settings do not fit together; the message says what would."""


class Settings(BaseSettings):
    """All settings. Without any, everything runs in one process over files in the data folder."""

    model_config = SettingsConfigDict(env_prefix="PACEMARK_", env_file=".env", frozen=True, extra="ignore")

    env: Environment = Environment.DEVELOPMENT
    data: Path = Field(default_factory=lambda: user_data_path("pacemark"))
    database_url: str | None = None
    secret: SecretStr | None = None
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str | None = None
    allow_private_targets: bool | None = None

    s3_bucket: str | None = None
    s3_endpoint: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: SecretStr | None = None

    pagespeed_key: SecretStr | None = None
    pagespeed_url: str | None = None
    lighthouse: Path | None = None
    chrome: Path | None = None
    node: Path | None = None

    runner_name: str = Field(default_factory=socket.gethostname)
    runner_location: str = "local"
    runner_pool: str = "default"
    probes_at_once: int = Field(4, ge=1, le=64)

    @field_validator("database_url")
    @classmethod
    def _async_driver(cls, url: str | None) -> str | None:
        if url is None or url.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite://")):
            return url
        scheme, found, rest = url.partition("://")
        if found and scheme in ("postgresql", "postgres"):
            return f"postgresql+asyncpg://{rest}"
        if found and scheme == "sqlite":
            return f"sqlite+aiosqlite://{rest}"
        raise ValueError("a database is postgresql://user:password@host/name or sqlite:////path/to/file")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data.resolve() / 'pacemark.db'}"

    @property
    def on_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def check(self) -> None:
        """Raises SettingsError for what this environment forbids."""
        if self.env is Environment.DEVELOPMENT and not self.on_loopback:
            raise SettingsError(
                f"PACEMARK_ENV=development listens on loopback only, not on {self.host}. "
                "Set PACEMARK_ENV=production and a PACEMARK_SECRET to be reached from outside."
            )
        if self.env is Environment.TEST and self.pagespeed_key is not None and self.pagespeed_url is None:
            raise SettingsError("PACEMARK_ENV=test asks no outside service: set PACEMARK_PAGESPEED_URL to a local one.")
        if self.env is Environment.PRODUCTION and self.secret is None:
            raise SettingsError(
                "PACEMARK_ENV=production needs a PACEMARK_SECRET of its own, such as the output of: openssl rand -hex 32"
            )
        if self.secret is not None and len(self.secret.get_secret_value()) < MIN_SECRET:
            raise SettingsError(f"PACEMARK_SECRET is too short: it needs at least {MIN_SECRET} characters.")

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, made from the secret (HKDF-SHA256, RFC 5869)."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"pacemark:{purpose}".encode()).derive(self._master())

    def derive_text(self, purpose: str) -> bytes:
        """The same as URL-safe base 64, the form that Fernet takes."""
        return base64.urlsafe_b64encode(self.derive(purpose))

    def _master(self) -> bytes:
        if self.secret is not None:
            return self.secret.get_secret_value().encode()
        return kept_text(self.data / "secret", lambda: secrets.token_hex(32)).encode()


def kept_text(path: Path, make: Callable[[], str]) -> str:
    """The text of a private file, made by whoever comes first: linked into place whole, so that nobody reads half."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
