"""How Alembic reaches the database: through the connection that `infra.db.migrate` hands over."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from domain import (
    accounts,
    audits,
    documents,
    files,
    history,
    idempotency,
    jobs,
    keys,
    leases,
    mails,
    runners,
    schedules,
    security,
    sites,
    workspaces,
)
from domain.base import Base, UtcDateTime

_ = (
    accounts,
    audits,
    documents,
    files,
    history,
    idempotency,
    jobs,
    keys,
    leases,
    mails,
    runners,
    schedules,
    security,
    sites,
    workspaces,
)  # their tables are now known

connection = context.config.attributes["connection"]


def render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Types in plain words: a migration must still mean the same when the domain's own types have moved on."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return 'sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")'
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    if kind == "type" and isinstance(item, sa.JSON):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=render,
)
with context.begin_transaction():
    context.run_migrations()
