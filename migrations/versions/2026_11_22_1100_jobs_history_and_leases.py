"""Jobs, the history of events, and leases."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_1100"
down_revision = "2026_11_22_0900"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("payload", _JSON, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("trace", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("sequence", name=op.f("uq_events_sequence")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_at"), "events", ["at"])
    op.create_index(op.f("ix_events_workspace_id_sequence"), "events", ["workspace_id", "sequence"])
    op.create_index(
        "ix_events_unnumbered",
        "events",
        ["id"],
        postgresql_where=sa.text("sequence IS NULL"),
        sqlite_where=sa.text("sequence IS NULL"),
    )
    history = op.create_table(
        "history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("forgotten", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    op.bulk_insert(history, [{"id": uuid4(), "last": 0, "published": 0, "forgotten": 0}])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.Uuid(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("ready_at", _TIME, nullable=False),
        sa.Column("sent_at", _TIME, nullable=True),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("claim_until", _TIME, nullable=True),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("dead_at", _TIME, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("trace", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_jobs_workspace_id_workspaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_jobs_kind_subject")),
    )
    op.create_index(op.f("ix_jobs_kind_priority_id"), "jobs", ["kind", "priority", "id"])
    op.create_index(op.f("ix_jobs_workspace_id"), "jobs", ["workspace_id"])
    # What waits goes on waiting, and what was being measured begins anew.
    op.execute(
        "INSERT INTO jobs (id, kind, workspace_id, subject, priority, at, ready_at, deliveries) "
        "SELECT id, 'audits.' || lower(engine), workspace_id, id, priority, requested_at, requested_at, 0 "
        "FROM audits WHERE state IN ('QUEUED', 'RUNNING')"
    )
    op.execute("UPDATE audits SET state = 'QUEUED', phase = 'QUEUED', run = NULL WHERE state = 'RUNNING'")
    op.drop_index(op.f("ix_audits_state_engine_priority_id"), "audits")
    for column in ("priority", "attempts", "claim", "claim_until"):
        op.drop_column("audits", column)
    op.add_column("audits", sa.Column("schedule_id", sa.Uuid(), nullable=True))
    op.drop_index(op.f("ix_outbox_at"), "outbox")
    op.drop_table("outbox")


def downgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", _JSON, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_outbox_at"), "outbox", ["at"])
    op.drop_column("audits", "schedule_id")
    op.add_column("audits", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("audits", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("audits", sa.Column("claim", sa.Uuid(), nullable=True))
    op.add_column("audits", sa.Column("claim_until", _TIME, nullable=True))
    op.create_index(op.f("ix_audits_state_engine_priority_id"), "audits", ["state", "engine", "priority", "id"])
    op.execute("UPDATE audits SET state = 'QUEUED', phase = 'QUEUED', run = NULL WHERE state = 'RUNNING'")
    op.drop_index(op.f("ix_jobs_workspace_id"), "jobs")
    op.drop_index(op.f("ix_jobs_kind_priority_id"), "jobs")
    op.drop_table("jobs")
    op.drop_table("leases")
    op.drop_table("history")
    op.drop_index("ix_events_unnumbered", "events")
    op.drop_index(op.f("ix_events_workspace_id_sequence"), "events")
    op.drop_index(op.f("ix_events_at"), "events")
    op.drop_table("events")
