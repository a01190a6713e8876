"""Deploys and annotations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_1100"
down_revision = "2026_11_23_1000"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

# Each part is asked once a statement, not once a row: a sub-select that refers to no row is.
_EVERYTHING = "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false))"
_REACH = "CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[])"


def upgrade() -> None:
    op.create_table(
        "deploys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("commit_hash", sa.Text(), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=True),
        *_owners("deploys", "workspace", "site"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deploys")),
    )
    op.create_index(op.f("ix_deploys_site_id_at_id"), "deploys", ["site_id", "at", "id"])
    op.create_index(op.f("ix_deploys_workspace_id"), "deploys", ["workspace_id"])
    op.create_table(
        "annotations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        *_owners("annotations", "workspace", "site", "page"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotations")),
    )
    op.create_index(op.f("ix_annotations_site_id_at_id"), "annotations", ["site_id", "at", "id"])
    op.create_index(op.f("ix_annotations_page_id"), "annotations", ["page_id"])
    op.create_index(op.f("ix_annotations_workspace_id"), "annotations", ["workspace_id"])
    if op.get_bind().dialect.name == "postgresql":
        reached = f"{_EVERYTHING} OR workspace_id = ANY ({_REACH})"
        for table in ("deploys", "annotations"):
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY reach ON {table} USING ({reached}) WITH CHECK ({reached})")


def _owners(table: str, *owners: str) -> list[sa.ForeignKeyConstraint]:
    """What goes with its workspace, its site and its page."""
    return [
        sa.ForeignKeyConstraint(
            [f"{owner}_id"], [f"{owner}s.id"], name=op.f(f"fk_{table}_{owner}_id_{owner}s"), ondelete="CASCADE"
        )
        for owner in owners
    ]


def downgrade() -> None:
    op.drop_table("annotations")
    op.drop_table("deploys")
