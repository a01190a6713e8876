"""Snapshots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_23_0800"
down_revision = "2026_11_23_0700"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_RUNNING = sa.text("state = 'RUNNING'")

# Each part is asked once a statement, not once a row: a sub-select that refers to no row is.
_EVERYTHING = "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false))"
_REACH = "CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[])"


def upgrade() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=True),
        sa.Column("schedule_id", sa.Uuid(), nullable=True),
        sa.Column("commit_hash", sa.Text(), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("ancestor_hash", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("committed_at", _TIME, nullable=True),
        sa.Column("build_url", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", _TIME, nullable=False),
        sa.Column("filled_at", _TIME, nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.Column("confirms_id", sa.Uuid(), nullable=True),
        sa.Column("judged_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_snapshots_site_id_sites"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_snapshots_workspace_id_workspaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
    )
    op.create_index(op.f("ix_snapshots_workspace_id_id"), "snapshots", ["workspace_id", "id"])
    op.create_index(op.f("ix_snapshots_site_id_environment_id"), "snapshots", ["site_id", "environment", "id"])
    by_commit = ["site_id", "environment", "commit_hash"]
    op.create_index(op.f("ix_snapshots_site_id_environment_commit_hash"), "snapshots", by_commit)
    op.create_index(op.f("ix_snapshots_confirms_id"), "snapshots", ["confirms_id"])
    op.create_index("ix_snapshots_running", "snapshots", ["id"], postgresql_where=_RUNNING, sqlite_where=_RUNNING)
    op.add_column("audits", sa.Column("snapshot_id", sa.Uuid(), nullable=True))
    op.add_column("audits", sa.Column("confirms", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(op.f("ix_audits_snapshot_id_id"), "audits", ["snapshot_id", "id"])
    op.add_column("schedules", sa.Column("snapshot_id", sa.Uuid(), nullable=True))
    op.add_column("schedules", sa.Column("profiles", _JSON, nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        reached = f"{_EVERYTHING} OR workspace_id = ANY ({_REACH})"
        op.execute("ALTER TABLE snapshots ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE snapshots FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY reach ON snapshots USING ({reached}) WITH CHECK ({reached})")


def downgrade() -> None:
    op.drop_column("schedules", "profiles")
    op.drop_column("schedules", "snapshot_id")
    op.drop_index(op.f("ix_audits_snapshot_id_id"), "audits")
    op.drop_column("audits", "confirms")
    op.drop_column("audits", "snapshot_id")
    op.drop_table("snapshots")
