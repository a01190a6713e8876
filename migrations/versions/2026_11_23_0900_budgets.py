"""Budgets, breaches, and how budgets stand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "2026_11_23_0900"
down_revision = "2026_11_23_0840"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_ENUM = sa.String(40)
_TABLES = ("budgets", "breaches", "budget_states")

# Each part is asked once a statement, not once a row: a sub-select that refers to no row is.
_EVERYTHING = "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false))"
_REACH = "CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[])"  # NULL: nothing


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"), ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("profile_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("url_pattern", sa.Text(), nullable=True),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("subject_kind", _ENUM, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("limit_kind", _ENUM, nullable=False),
        sa.Column("limit_value", sa.Float(), nullable=False),
        sa.Column("tolerance", sa.Float(), nullable=False),
        sa.Column("aggregation", _ENUM, nullable=False),
        sa.Column("severity", _ENUM, nullable=False),
        sa.Column("consecutive", sa.Integer(), nullable=False),
        sa.Column("paused_at", _TIME, nullable=True),
        sa.Column("source", _ENUM, nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("except_paths", _JSON, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _belongs("budgets", "workspace_id", "workspaces"),
        _belongs("budgets", "site_id", "sites"),
        _belongs("budgets", "profile_id", "profiles"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
    )
    op.create_index(op.f("ix_budgets_profile_id"), "budgets", ["profile_id"])
    op.create_index(op.f("ix_budgets_site_id_name_id"), "budgets", ["site_id", "name", "id"])
    op.create_index(op.f("ix_budgets_workspace_id_name_id"), "budgets", ["workspace_id", "name", "id"])
    op.create_table(
        "breaches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=True),
        sa.Column("severity", _ENUM, nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("limit_value", sa.Float(), nullable=False),
        sa.Column("baseline", sa.Float(), nullable=True),
        sa.Column("over", sa.Float(), nullable=True),
        sa.Column("conditions_id", sa.Uuid(), nullable=True),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        _belongs("breaches", "workspace_id", "workspaces"),
        _belongs("breaches", "site_id", "sites"),
        _belongs("breaches", "budget_id", "budgets"),
        _belongs("breaches", "page_id", "pages"),
        _belongs("breaches", "profile_id", "profiles"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_breaches")),
    )
    whose = ["budget_id", "page_id", "profile_id", "environment", "ended_at"]
    op.create_index(op.f(f"ix_breaches_{'_'.join(whose)}"), "breaches", whose)
    op.create_index(op.f("ix_breaches_page_id_id"), "breaches", ["page_id", "id"])
    op.create_index(op.f("ix_breaches_profile_id"), "breaches", ["profile_id"])
    op.create_index(op.f("ix_breaches_site_id"), "breaches", ["site_id"])
    op.create_index(op.f("ix_breaches_workspace_id_id"), "breaches", ["workspace_id", "id"])
    op.create_table(
        "budget_states",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("consecutive", sa.Integer(), nullable=False),
        sa.Column("breach_id", sa.Uuid(), nullable=True),
        sa.Column("since", _TIME, nullable=True),
        sa.Column("baseline", sa.Float(), nullable=True),
        sa.Column("conditions_id", sa.Uuid(), nullable=True),
        sa.Column("last_value", sa.Float(), nullable=True),
        sa.Column("last_audit_id", sa.Uuid(), nullable=False),
        sa.Column("last_at", _TIME, nullable=False),
        sa.Column("days", _JSON, nullable=False),
        _belongs("budget_states", "budget_id", "budgets"),
        _belongs("budget_states", "page_id", "pages"),
        _belongs("budget_states", "profile_id", "profiles"),
        sa.PrimaryKeyConstraint("budget_id", "page_id", "profile_id", "environment", name=op.f("pk_budget_states")),
    )
    op.create_index(op.f("ix_budget_states_page_id"), "budget_states", ["page_id"])
    op.create_index(op.f("ix_budget_states_profile_id"), "budget_states", ["profile_id"])
    if op.get_bind().dialect.name != "sqlite":
        for table in _TABLES:
            reached = f"{_EVERYTHING} OR workspace_id = ANY ({_REACH})"
            op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
            op.execute(f"CREATE POLICY reach ON {table} USING ({reached}) WITH CHECK ({reached})")


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
