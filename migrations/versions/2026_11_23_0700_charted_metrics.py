"""The metrics that are charted most are in the index of a page's finished audits."""

from __future__ import annotations

from alembic import op

revision = "2026_11_23_0700"
down_revision = "2026_11_22_1500"
branch_labels = None
depends_on = None

_INDEX = "ix_audits_page_id_profile_id_environment_state_finished_at"
_COLUMNS = ["page_id", "profile_id", "environment", "state", "finished_at"]


def upgrade() -> None:
    """2026_11_23_0810 makes this index anew in any case, with these columns and one more: it is made once."""


def downgrade() -> None:
    op.drop_index(op.f(_INDEX), "audits")
    op.create_index(op.f(_INDEX), "audits", _COLUMNS)
