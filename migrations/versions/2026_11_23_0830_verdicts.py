"""Verdicts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_0830"
down_revision = "2026_11_23_0810"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_NUMBERS = ("before", "after", "change_low", "change_high", "detectable", "p", "delta", "spread_ratio")

# Each part is asked once a statement, not once a row: a sub-select that refers to no row is.
_EVERYTHING = "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false))"
_REACH = "CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[])"


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("before_audit_id", sa.Uuid(), nullable=True),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("judgement", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in _NUMBERS),
        sa.Column("snapshots_before", sa.Integer(), nullable=False),
        sa.Column("snapshots_after", sa.Integer(), nullable=False),
        sa.Column("judged_at", _TIME, nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_verdicts_{column}_{table}"), ondelete="CASCADE")
            for column, table in (
                ("workspace_id", "workspaces"),
                ("site_id", "sites"),
                ("snapshot_id", "snapshots"),
                ("page_id", "pages"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint(
            "snapshot_id", "page_id", "profile_id", "metric", name=op.f("uq_verdicts_snapshot_id_page_id_profile_id_metric")
        ),
    )
    for column in ("page_id", "site_id", "workspace_id"):
        op.create_index(op.f(f"ix_verdicts_{column}_id"), "verdicts", [column, "id"])
        op.create_index(op.f(f"ix_verdicts_{column}_judgement_id"), "verdicts", [column, "judgement", "id"])
    if op.get_bind().dialect.name == "postgresql":
        reached = f"{_EVERYTHING} OR workspace_id = ANY ({_REACH})"
        op.execute("ALTER TABLE verdicts ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE verdicts FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY reach ON verdicts USING ({reached}) WITH CHECK ({reached})")


def downgrade() -> None:
    op.drop_table("verdicts")
