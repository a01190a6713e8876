"""The newest audit of each page, beside the middle of those before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_0840"
down_revision = "2026_11_23_0830"
branch_labels = None
depends_on = None

_TIME = sa.Text().with_variant(sa.TIMESTAMP(timezone=True), "postgresql")

# By how little a baseline may be, so that a change is a part of it.
_METRICS = {
    "performance_score": 0.01,
    "lcp_ms": 10.0,
    "fcp_ms": 10.0,
    "tbt_ms": 10.0,
    "cls": 0.01,
    "speed_index_ms": 10.0,
    "ttfb_ms": 10.0,
    "page_load_ms": 10.0,
    "request_count": 1.0,
    "transfer_bytes": 1_000.0,
}
_KEY = ("page_id", "profile_id", "environment")
_COPIED = ("workspace_id", "site_id", "finished_at", "engine", "form_factor", "conditions_id", *_METRICS)
_BATCH = 500

_REACHED = (
    "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false)) OR workspace_id = ANY "
    "(CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[]))"
)


def upgrade() -> None:
    numbers = [f"{metric}{kind}" for metric in _METRICS for kind in ("", "_baseline", "_change")]
    table = op.create_table(
        "latest_audits",
        sa.Column("page_id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("finished_at", _TIME, nullable=False),
        sa.Column("engine", sa.String(40), nullable=False),
        sa.Column("form_factor", sa.String(40), nullable=False),
        sa.Column("conditions_id", sa.Uuid(), nullable=True),
        sa.Column("compared", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=True) for name in numbers),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_latest_audits_audit_id_audits"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_latest_audits")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_latest_audits_audit_id")),
    )
    op.create_index(op.f("ix_latest_audits_workspace_id"), "latest_audits", ["workspace_id"])
    _fill(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE latest_audits ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE latest_audits FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY reach ON latest_audits USING ({_REACHED}) WITH CHECK ({_REACHED})")


def _fill(table: sa.Table) -> None:
    """One look into the index of audits for each page, profile and environment that there are."""
    connection = op.get_bind()
    audits = sa.table(
        "audits",
        sa.column("id", sa.Uuid()),
        sa.column("workspace_id", sa.Uuid()),
        sa.column("site_id", sa.Uuid()),
        sa.column("page_id", sa.Uuid()),
        sa.column("profile_id", sa.Uuid()),
        sa.column("environment", sa.Text()),
        sa.column("state", sa.Text()),
        sa.column("finished_at", _TIME),
        sa.column("conditions_id", sa.Uuid()),
        *(sa.column(name) for name in ("engine", "form_factor", *_METRICS)),
    )
    finished = audits.c.state == "FINISHED"
    keys = connection.execute(sa.select(*(audits.c[name] for name in _KEY)).where(finished).distinct()).all()
    newest = (
        sa.select(audits)
        .where(finished, *(audits.c[name] == sa.bindparam(name) for name in _KEY))
        .order_by(audits.c.finished_at.desc(), audits.c.id.desc())
        .limit(50)
    )
    for first in range(0, len(keys), _BATCH):
        found = [list(connection.execute(newest, key._asdict()).mappings()) for key in keys[first : first + _BATCH]]
        connection.execute(sa.insert(table), [_row(each) for each in found])


def _row(audits: list[sa.RowMapping]) -> dict[str, object]:
    """Of a page's audits, the newest first."""
    newest = audits[0]
    alike = newest["conditions_id"]
    same = [audit for audit in audits[1:] if alike is not None and audit["conditions_id"] == alike][:5]
    row: dict[str, object] = {name: newest[name] for name in (*_KEY, *_COPIED)}
    row |= {"audit_id": newest["id"], "compared": len(same)}
    for metric, least in _METRICS.items():
        value, before = newest[metric], sorted(audit[metric] for audit in same if audit[metric] is not None)
        known = value is not None and len(before) >= 2
        baseline = (before[(len(before) - 1) // 2] + before[len(before) // 2]) / 2 if known else None
        row[f"{metric}_baseline"] = baseline
        row[f"{metric}_change"] = (value - baseline) / max(abs(baseline), least) if baseline is not None else None
    return row


def downgrade() -> None:
    op.drop_index(op.f("ix_latest_audits_workspace_id"), "latest_audits")
    op.drop_table("latest_audits")
