"""Alerts, the channels that are told of them, and when a schedule would be silent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_23_1000"
down_revision = "2026_11_23_0900"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_WORD = sa.String(length=40)
_OPEN = sa.text("resolved_at IS NULL")
_SCHEDULED = sa.text("schedule_id IS NOT NULL")

_TENANTS = ("alerts", "channels", "deliveries", "delivery_attempts", "routes")

_EVERYTHING = "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false))"
_REACH = "CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[])"  # NULL: nothing


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("everything", sa.Boolean(), nullable=False),
        sa.Column("former_until", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("paused_at", _TIME, nullable=True),
        sa.Column("paused_reason", _WORD, nullable=True),
        sa.Column("failing_since", _TIME, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        _refers("channels", "workspace_id", "workspaces"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
        sa.UniqueConstraint("workspace_id", "name", name=op.f("uq_channels_workspace_id_name")),
    )
    op.create_table(
        "routes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("kinds", _JSON, nullable=True),
        sa.Column("severity", _WORD, nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        _refers("routes", "workspace_id", "workspaces"),
        _refers("routes", "channel_id", "channels"),
        _refers("routes", "site_id", "sites"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routes")),
    )
    op.create_index(op.f("ix_routes_workspace_id"), "routes", ["workspace_id"])
    op.create_index(op.f("ix_routes_channel_id_id"), "routes", ["channel_id", "id"])
    op.create_index(op.f("ix_routes_site_id"), "routes", ["site_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("moment", _WORD, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("message", _JSON, nullable=False),
        sa.Column("reached", _JSON, nullable=False),
        sa.Column("refused", _JSON, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("next_at", _TIME, nullable=True),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        _refers("deliveries", "workspace_id", "workspaces"),
        _refers("deliveries", "channel_id", "channels"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(op.f("ix_deliveries_channel_id_id"), "deliveries", ["channel_id", "id"])
    op.create_index(op.f("ix_deliveries_workspace_id"), "deliveries", ["workspace_id"])
    op.create_index(op.f("ix_deliveries_created_at"), "deliveries", ["created_at"])
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        _refers("delivery_attempts", "delivery_id", "deliveries"),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_delivery_attempts")),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=True),
        sa.Column("profile_id", sa.Uuid(), nullable=True),
        sa.Column("snapshot_id", sa.Uuid(), nullable=True),
        sa.Column("audit_id", sa.Uuid(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("severity", _WORD, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("details", _JSON, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("last_seen_at", _TIME, nullable=False),
        sa.Column("occurrences", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", _TIME, nullable=True),
        sa.Column("acknowledged_by_id", sa.Uuid(), nullable=True),
        sa.Column("snoozed_until", _TIME, nullable=True),
        sa.Column("resolved_at", _TIME, nullable=True),
        sa.Column("resolution", _WORD, nullable=True),
        _refers("alerts", "workspace_id", "workspaces"),
        _refers("alerts", "site_id", "sites"),
        _refers("alerts", "page_id", "pages"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index(
        op.f("uq_alerts_open"),
        "alerts",
        ["workspace_id", "subject"],
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )
    for columns in _ALERTS:
        op.create_index(op.f(f"ix_alerts_{'_'.join(columns)}"), "alerts", list(columns))
    op.create_index(
        op.f("ix_audits_schedule_id_state_finished_at"),
        "audits",
        ["schedule_id", "state", "finished_at"],
        postgresql_where=_SCHEDULED,
        sqlite_where=_SCHEDULED,
    )
    op.add_column("schedules", sa.Column("quiet_at", _TIME, nullable=True))
    op.create_index(op.f("ix_schedules_quiet_at"), "schedules", ["quiet_at"])
    # The scheduler works out the rest when it looks at them first.
    op.execute("UPDATE schedules SET quiet_at = next_at WHERE paused_at IS NULL")
    if op.get_bind().dialect.name == "sqlite":
        return
    for table in _TENANTS:
        reached = f"{_EVERYTHING} OR workspace_id = ANY ({_REACH})"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY reach ON {table} USING ({reached}) WITH CHECK ({reached})")


_ALERTS = (
    ("workspace_id", "subject", "resolved_at"),
    ("workspace_id", "id"),
    ("workspace_id", "state", "id"),
    ("site_id", "state", "id"),
    ("page_id", "state", "id"),
    ("snoozed_until",),
)


def downgrade() -> None:
    op.drop_index(op.f("ix_schedules_quiet_at"), "schedules")
    op.drop_column("schedules", "quiet_at")
    op.drop_index(op.f("ix_audits_schedule_id_state_finished_at"), "audits")
    for table in ("alerts", "delivery_attempts", "deliveries", "routes", "channels"):
        op.drop_table(table)
