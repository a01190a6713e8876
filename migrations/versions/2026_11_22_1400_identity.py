"""People, their sessions and memberships, scoped keys, mails, and the security log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_1400"
down_revision = "2026_11_22_1300"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _people()
    _memberships()
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_table(
        "security_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_log")),
    )
    _index("security_log", "workspace_id", "id")
    _index("security_log", "user_id", "id")
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(sa.Column("scopes", _JSON, nullable=True))
        keys.add_column(sa.Column("sites", _JSON, nullable=True))
        keys.add_column(sa.Column("expires_at", _TIME, nullable=True))
        keys.add_column(sa.Column("last_used_at", _TIME, nullable=True))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("workspace_id", existing_type=sa.Uuid(), nullable=True)


def _people() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("email", sa.Text(), nullable=True))
        users.add_column(sa.Column("verified_at", _TIME, nullable=True))
        users.add_column(sa.Column("password_hash", sa.Text(), nullable=True))
        users.create_unique_constraint(op.f("uq_users_email"), ["email"])
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("begins_at", _TIME, nullable=False),
        sa.Column("ends_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        _refers("identities", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identities_issuer_subject")),
    )
    _index("identities", "user_id")
    op.create_table(
        "links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        _refers("links", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_links_digest")),
    )
    _index("links", "user_id", "kind")
    _index("links", "expires_at")
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(40), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("revoked_at", _TIME, nullable=True),
        _refers("sessions", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    _index("sessions", "user_id", "id")
    _index("sessions", "expires_at")
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("used_at", _TIME, nullable=True),
        sa.Column("used_by", sa.Text(), nullable=True),
        _refers("refresh_tokens", "session_id", "sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_refresh_tokens_digest")),
    )
    _index("refresh_tokens", "session_id")


def _memberships() -> None:
    with op.batch_alter_table("workspaces") as workspaces:
        workspaces.add_column(sa.Column("deleted_at", _TIME, nullable=True))
    with op.batch_alter_table("members") as members:
        members.add_column(sa.Column("by_site", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "member_sites",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        _refers("member_sites", "site_id", "sites"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "user_id"],
            ["members.workspace_id", "members.user_id"],
            name=op.f("fk_member_sites_workspace_id_user_id_members"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", "site_id", name=op.f("pk_member_sites")),
    )
    _index("member_sites", "site_id")
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("sites", _JSON, nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        _refers("invitations", "invited_by", "users", "SET NULL"),
        _refers("invitations", "workspace_id", "workspaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
        sa.UniqueConstraint("workspace_id", "email", name=op.f("uq_invitations_workspace_id_email")),
    )
    _index("invitations", "expires_at")


def _refers(table: str, column: str, to: str, gone: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete=gone)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, [*columns])


def downgrade() -> None:
    op.execute("DELETE FROM jobs WHERE workspace_id IS NULL")
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("workspace_id", existing_type=sa.Uuid(), nullable=False)
    with op.batch_alter_table("api_keys") as keys:
        for column in ("last_used_at", "expires_at", "sites", "scopes"):
            keys.drop_column(column)
    for table in ("security_log", "mails", "invitations", "member_sites"):
        op.drop_table(table)
    with op.batch_alter_table("members") as members:
        members.drop_column("by_site")
    with op.batch_alter_table("workspaces") as workspaces:
        workspaces.drop_column("deleted_at")
    for table in ("refresh_tokens", "sessions", "links", "identities", "signing_keys"):
        op.drop_table(table)
    with op.batch_alter_table("users") as users:
        users.drop_constraint(op.f("uq_users_email"), type_="unique")
        for column in ("password_hash", "verified_at", "email"):
            users.drop_column(column)
