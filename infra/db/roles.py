"""The two roles of a PostgreSQL: the owner, who migrates, and the service's, who owns nothing and passes no policy by."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from .connections import once

_FAULTS = text(
    "SELECT rolname, rolsuper, rolbypassrls, EXISTS ("
    "SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(current_schema()) AND relkind IN ('r', 'p') "
    "AND pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_roles WHERE rolname = current_user"
)
_KNOWN = text("SELECT 1 FROM pg_roles WHERE rolname = :name")


class NoSuchRole(Exception):  # noqa: N818 - the operator has yet to create it
    """The server does not know the service's role."""


class RoleFaults(NamedTuple):
    """What lets a role pass row-level security by, or take it down."""

    name: str
    superuser: bool
    bypasses: bool
    owns: bool

    @property
    def any(self) -> bool:
        return self.superuser or self.bypasses or self.owns

    def __str__(self) -> str:
        found = (
            (self.superuser, "is a superuser"),
            (self.bypasses, "has BYPASSRLS"),
            (self.owns, "owns tables"),
        )
        return ", ".join(words for is_so, words in found if is_so)


async def standing_of_role(url: str) -> RoleFaults:
    """How the role that connects there stands; without faults on SQLite, which has no roles."""
    if url.startswith("sqlite"):
        return RoleFaults("", False, False, False)
    return await once(url, lambda connection: RoleFaults(*connection.execute(_FAULTS).one()))


def service_role(url: str, owner_url: str) -> str | None:
    """The name of the role that the service connects as, where that is not the owner."""
    service, owner = make_url(url).username, make_url(owner_url).username
    return service if service != owner else None


def grant(connection: Connection, service: str) -> None:
    """What the service's role may do with the tables as they are now. Raises NoSuchRole."""
    if connection.execute(_KNOWN, {"name": service}).first() is None:
        raise NoSuchRole(service)
    quote = connection.dialect.identifier_preparer.quote_identifier
    role, schema = quote(service), quote(str(connection.exec_driver_sql("SELECT current_schema()").scalar_one()))
    for statement in (
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        f"REVOKE UPDATE, DELETE ON {schema}.security_log FROM {role}",
        f"REVOKE INSERT, UPDATE, DELETE ON {schema}.alembic_version FROM {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    ):
        connection.exec_driver_sql(statement)
