"""The metrics that are charted most are in the index of a page's finished audits."""

from __future__ import annotations

from alembic import op

revision = "2026_11_23_0700"
down_revision = "2026_11_22_1500"
branch_labels = None
depends_on = None

_INDEX = "ix_audits_page_id_profile_id_environment_state_finished_at"
_COLUMNS = ["page_id", "profile_id", "environment", "state", "finished_at"]
_INCLUDED = ["workspace_id", "performance_score", "lcp_ms", "fcp_ms", "tbt_ms", "cls", "speed_index_ms", "ttfb_ms"]


def upgrade() -> None:
    # SQLite's indexes hold nothing beside their keys.
    op.drop_index(op.f(_INDEX), "audits")
    op.create_index(op.f(_INDEX), "audits", _COLUMNS, postgresql_include=_INCLUDED)


def downgrade() -> None:
    op.drop_index(op.f(_INDEX), "audits")
    op.create_index(op.f(_INDEX), "audits", _COLUMNS)
