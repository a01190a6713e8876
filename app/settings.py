"""Every setting, read once from the environment (PACEMARK_…) or an .env file, and what each environment forbids."""

from __future__ import annotations

import re
import secrets
import socket
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app import secrecy
from app.errors import Unusable
from app.folder import kept_text
from domain.accounts import Registration
from domain.caching import LONGEST_SECONDS
from domain.keyring import Keyring
from domain.measuring import EngineName
from infra.email.addresses import deliverable
from infra.email.servers import MailServer, is_loopback

PREFIX = "PACEMARK_"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
# graph.policy.Introspection by its words: a command that asks nothing of the graph does not load it.
ShownTo = Literal["everybody", "signed-in", "nobody"]


class Environment(StrEnum):
    """`development` listens on loopback only; `test` asks no outside service; `production` needs its own secret."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """All settings. Without any, everything runs in one process over files in the data folder."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    env: Environment = Environment.DEVELOPMENT
    data: Path = Field(default_factory=lambda: user_data_path("pacemark"))
    database_url: str | None = None
    migration_url: str | None = Field(None, repr=False)
    nats_url: str | None = Field(None, repr=False)
    nats_prefix: str = Field("pacemark", pattern=r"^[a-z0-9_-]{1,32}$")
    redis_url: str | None = Field(None, repr=False)
    secret: SecretStr | None = None
    former_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str | None = None
    allow_private_targets: bool | None = None
    trusted_proxies: str | None = None

    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    introspection: ShownTo | None = None
    registration: Registration = Registration.INVITED
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None

    graphiql: bool = True
    compile_queries: bool = True
    cost_capacity: float = Field(200_000, ge=1_000, le=1e12)
    cost_per_second: float = Field(10_000, gt=0, le=1e12)
    strangers_cost_capacity: float = Field(50_000, ge=1_000, le=1e12)
    strangers_cost_per_second: float = Field(1_000, gt=0, le=1e12)
    operations_at_once: int = Field(100, ge=1)
    streams_at_once: int = Field(1_000, ge=1)

    s3_bucket: str | None = None
    s3_endpoint: str | None = None
    s3_region: str = "us-east-1"
    s3_access_key_id: str | None = None
    s3_secret_access_key: SecretStr | None = None

    mail_url: str | None = Field(None, repr=False)
    mail_from: str | None = None

    pagespeed_key: SecretStr | None = None
    pagespeed_url: str | None = None
    lighthouse: Path | None = None
    chrome: Path | None = None
    node: Path | None = None

    runner_name: str = Field(default_factory=socket.gethostname)
    runner_location: str = "local"
    runner_pool: str = "default"
    probes_at_once: int = Field(4, ge=1, le=64)
    engines: Annotated[tuple[EngineName, ...], NoDecode] = tuple(EngineName)

    audits_kept_days: int | None = Field(None, ge=30, le=36_500)
    confirm_after_seconds: int = Field(300, ge=0, le=86_400)

    otlp_endpoint: str | None = None
    trace_sample: float = Field(0.01, ge=0, le=1)
    trace_trust_incoming: bool = False
    metrics_token: SecretStr | None = None
    metrics_port: int | None = Field(None, ge=1, le=65535)

    @field_validator("database_url", "migration_url")
    @classmethod
    def _async_driver(cls, url: str | None) -> str | None:
        if url is None or url.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite://")):
            return url
        # What libpq calls sslmode is ssl to asyncpg, with the same values.
        scheme, found, rest = url.replace("?sslmode=", "?ssl=").replace("&sslmode=", "&ssl=").partition("://")
        if found and scheme in ("postgresql", "postgres"):
            return f"postgresql+asyncpg://{rest}"
        if found and scheme == "sqlite":
            return f"sqlite+aiosqlite://{rest}"
        raise ValueError("a database is postgresql://user:password@host/name or sqlite:////path/to/file")

    @field_validator("nats_url")
    @classmethod
    def _nats(cls, url: str | None) -> str | None:
        if url is not None and not all(_is_server(each, ("nats", "tls")) for each in url.split(",")):
            raise ValueError("NATS is nats://host:4222, or tls://user:password@host, several separated by commas")
        return url

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, url: str | None) -> str | None:
        if url is not None and not _is_server(url, ("redis", "rediss")):
            raise ValueError("Redis is redis://host:6379/0, or rediss://user:password@host:6379/0")
        return url

    @field_validator("mail_url")
    @classmethod
    def _mail_server(cls, url: str | None) -> str | None:
        if url is not None:
            MailServer.parse(url)
        return url

    @field_validator("mail_from")
    @classmethod
    def _mail_sender(cls, address: str | None) -> str | None:
        return deliverable(address.strip()) if address is not None else None

    @field_validator("engines", mode="before")
    @classmethod
    def _engines(cls, names: object) -> object:
        if not isinstance(names, str):
            return names
        chosen = [name.strip().upper() for name in names.split(",")]
        if not set(chosen) <= set(EngineName):
            raise ValueError(f"engines are one or several of {', '.join(EngineName)}, separated by commas")
        return tuple(dict.fromkeys(chosen))

    @field_validator("former_secrets", mode="before")
    @classmethod
    def _former(cls, secrets: object) -> object:
        return tuple(each for each in map(str.strip, secrets.split(",")) if each) if isinstance(secrets, str) else secrets

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _origins(cls, origins: object) -> object:
        if not isinstance(origins, str):
            return origins
        named = tuple(dict.fromkeys(each.strip().lower().rstrip("/") for each in origins.split(",") if each.strip()))
        if not all(_ORIGIN.fullmatch(each) for each in named):
            raise ValueError("origins are such as https://app.example.com, separated by commas, without a path")
        return named

    @field_validator("public_url", "s3_endpoint", "pagespeed_url", "otlp_endpoint")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is not None and not _is_server(url, ("http", "https")):
            raise ValueError("an address begins with http:// or https:// and a host")
        return url.rstrip("/") if url is not None else None

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, url: str | None) -> str | None:
        # As it is: to an issuer a slash at the end makes another name.
        cls._address(url)
        return url

    @field_validator("data", "lighthouse", "chrome", "node")
    @classmethod
    def _home(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path is not None else None

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data.resolve() / 'pacemark.db'}"

    @property
    def migrating_database(self) -> str:
        """The same database, as the role that owns its tables."""
        return self.migration_url or self.database

    @property
    def base_url(self) -> str:
        """How this server is reached, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def who_is_shown_the_schema(self) -> ShownTo:
        if self.introspection is not None:
            return self.introspection
        return "signed-in" if self.is_production else "everybody"

    @property
    def is_production(self) -> bool:
        return self.env is Environment.PRODUCTION

    @property
    def for_oneself(self) -> bool:
        """Whether only the machine's own users can ask: behind a proxy, loopback is everybody's address."""
        return self.on_loopback and self.public_url is None and self.env is not Environment.PRODUCTION

    @property
    def on_loopback(self) -> bool:
        return is_loopback(self.host)

    def check(self) -> None:
        """Raises Unusable for what this environment forbids, and for what does not fit together."""
        if self.env is Environment.DEVELOPMENT and not self.on_loopback:
            raise Unusable(
                f"PACEMARK_ENV=development listens on loopback only, not on {self.host!r}. "
                "Set PACEMARK_ENV=production and a PACEMARK_SECRET to be reached from outside."
            )
        if self.env is Environment.TEST and self.pagespeed_key is not None and self.pagespeed_url is None:
            raise Unusable("PACEMARK_ENV=test asks no outside service: set PACEMARK_PAGESPEED_URL to a local one.")
        if self.env is Environment.TEST and self.s3_bucket is not None and self.s3_endpoint is None:
            raise Unusable("PACEMARK_ENV=test asks no outside service: set PACEMARK_S3_ENDPOINT to a local one.")
        if self.mail_url is not None and self.mail_from is None:
            raise Unusable("PACEMARK_MAIL_URL needs PACEMARK_MAIL_FROM too: the address that mails come from.")
        if self.env is Environment.TEST and self.mail_url is not None and not is_loopback(MailServer.parse(self.mail_url).host):
            raise Unusable("PACEMARK_ENV=test asks no outside service: set PACEMARK_MAIL_URL to a local one.")
        former = [each.get_secret_value() for each in self.former_secrets]
        secrecy.require(self.secret.get_secret_value() if self.secret else None, former, production=self.is_production)
        if (self.nats_url is None) != self.database.startswith("sqlite"):
            raise Unusable(
                "PostgreSQL and NATS go together: set both PACEMARK_DATABASE_URL and PACEMARK_NATS_URL, such as "
                "nats://127.0.0.1:4222, or neither."
            )
        if self.migration_url is not None and any(each.startswith("sqlite") for each in (self.migration_url, self.database)):
            raise Unusable(
                "PACEMARK_MIGRATION_URL goes with PostgreSQL: it is PACEMARK_DATABASE_URL's database for the role that owns "
                "its tables. Set both, or leave it out."
            )
        if self.s3_bucket is not None and (self.s3_access_key_id is None or self.s3_secret_access_key is None):
            raise Unusable("PACEMARK_S3_BUCKET needs PACEMARK_S3_ACCESS_KEY_ID and PACEMARK_S3_SECRET_ACCESS_KEY too.")
        if len({self.oidc_issuer is None, self.oidc_client_id is None, self.oidc_client_secret is None}) > 1:
            names = "PACEMARK_OIDC_ISSUER, PACEMARK_OIDC_CLIENT_ID and PACEMARK_OIDC_CLIENT_SECRET"
            raise Unusable(f"Sign-in by OpenID needs all of {names}.")
        for whose in ("", "strangers_"):
            seconds = getattr(self, f"{whose}cost_capacity") / getattr(self, f"{whose}cost_per_second")
            if seconds > LONGEST_SECONDS:
                names = f"PACEMARK_{whose.upper()}COST_CAPACITY and PACEMARK_{whose.upper()}COST_PER_SECOND"
                raise Unusable(f"{names} do not fit: a bucket must be full again within {LONGEST_SECONDS:,.0f} seconds.")

    def keyring(self) -> Keyring:
        """What everything is protected with: the secret, and former ones."""
        return Keyring([self._master(), *(each.get_secret_value().encode() for each in self.former_secrets)])

    def _master(self) -> bytes:
        if self.secret is not None:
            return self.secret.get_secret_value().encode()
        return kept_text(self.data / "secret", lambda: secrets.token_hex(32)).encode()


def _is_server(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url.strip())
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def load(**given: Any) -> Settings:
    """The settings, with what the command line gave (None: nothing). Raises Unusable, naming every bad variable."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = (f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors())
        raise Unusable("; ".join(fault.replace("Value error, ", "") for fault in faults) + ".") from None
    settings.check()
    return settings
