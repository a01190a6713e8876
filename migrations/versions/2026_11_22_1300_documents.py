"""API clients, their documents, and how those are used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_1300"
down_revision = "2026_11_22_1200"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COMMON = sa.text("client_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "api_clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(40), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        _refers("api_clients", "workspace_id", "workspaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_clients")),
    )
    op.create_index(op.f("ix_api_clients_workspace_id_name"), "api_clients", ["workspace_id", "name"], unique=True)
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("names", _JSON, nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        _refers("documents", "workspace_id", "workspaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
    )
    op.create_index(op.f("ix_documents_workspace_id_hash"), "documents", ["workspace_id", "hash"], unique=True)
    op.create_index(op.f("ix_documents_workspace_id_id"), "documents", ["workspace_id", "id"])
    op.create_table(
        "document_aliases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("pushed_at", _TIME, nullable=False),
        _refers("document_aliases", "client_id", "api_clients"),
        _refers("document_aliases", "document_id", "documents"),
        _refers("document_aliases", "workspace_id", "workspaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_aliases")),
    )
    _unique("document_aliases", "workspace_id", "client_id", "alias")
    op.create_index(op.f("ix_document_aliases_client_id_document_id"), "document_aliases", ["client_id", "document_id"])
    op.create_index(op.f("ix_document_aliases_document_id"), "document_aliases", ["document_id"])
    op.create_table(
        "pushed_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("pushed_at", _TIME, nullable=False),
        _refers("pushed_versions", "client_id", "api_clients"),
        _refers("pushed_versions", "workspace_id", "workspaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushed_versions")),
    )
    _unique("pushed_versions", "workspace_id", "client_id", "version")
    op.create_index(op.f("ix_pushed_versions_client_id"), "pushed_versions", ["client_id"])
    op.create_table(
        "document_usage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("calls", _COUNT, nullable=False),
        sa.Column("errors", _COUNT, nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("durations", _JSON, nullable=False),
        _refers("document_usage", "client_id", "api_clients"),
        _refers("document_usage", "document_id", "documents"),
        _refers("document_usage", "workspace_id", "workspaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_usage")),
    )
    _unique("document_usage", "document_id", "client_id", "version")
    op.create_index(op.f("ix_document_usage_client_id"), "document_usage", ["client_id"])
    op.create_index(op.f("ix_document_usage_workspace_id"), "document_usage", ["workspace_id"])
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("client_id", sa.Uuid(), nullable=True))
        keys.create_foreign_key(
            op.f("fk_api_keys_client_id_api_clients"), "api_clients", ["client_id"], ["id"], ondelete="CASCADE"
        )
        keys.create_index(op.f("ix_api_keys_client_id"), ["client_id"])


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete="CASCADE")


def _unique(table: str, *columns: str) -> None:
    """For each client, and for what is of none."""
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, [*columns], unique=True)
    common = [column for column in columns if column != "client_id"]
    op.create_index(f"ix_{table}_common", table, common, unique=True, postgresql_where=_COMMON, sqlite_where=_COMMON)


def downgrade() -> None:
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_index(op.f("ix_api_keys_client_id"))
        keys.drop_constraint(op.f("fk_api_keys_client_id_api_clients"), type_="foreignkey")
        keys.drop_column("client_id")
    for table in ("document_usage", "pushed_versions", "document_aliases", "documents", "api_clients"):
        op.drop_table(table)
