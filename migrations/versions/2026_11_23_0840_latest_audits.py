"""The newest audit of each page, beside the middle of those before it."""

from __future__ import annotations

from typing import Any

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
    """One statement, however many pages there are: the newest audit of each page, profile and environment, beside the middle of
    up to five among the 49 before it that were made under the same conditions.
    """
    connection = op.get_bind()
    placed = _placed(connection.dialect.name).cte("placed")
    newest, earlier = placed.alias("newest"), placed.alias("earlier")
    of_key = [earlier.c[name] for name in _KEY]
    nth = sa.func.row_number().over(partition_by=of_key, order_by=earlier.c.place).label("nth")
    same = (
        sa.select(*of_key, *(earlier.c[name] for name in _METRICS), nth)
        .join_from(earlier, newest, sa.and_(*(newest.c[name] == earlier.c[name] for name in (*_KEY, "conditions_id"))))
        .where(newest.c.place == 1, earlier.c.place.between(2, 50))
        .cte("same")
    )
    of_key = [same.c[name] for name in _KEY]
    # Of each metric by itself, since not every audit has every one: in which place a value is, and of how many.
    ordered = [
        each
        for name in _METRICS
        for each in (
            same.c[name],
            sa.func.row_number().over(partition_by=of_key, order_by=same.c[name].nulls_last()).label(f"{name}_place"),
            sa.func.count(same.c[name]).over(partition_by=of_key).label(f"{name}_number"),
        )
    ]
    in_order = sa.select(*of_key, *ordered).where(same.c.nth <= 5).cte("in_order")
    of_key = [in_order.c[name] for name in _KEY]
    middle = [_middle(*(in_order.c[f"{name}{end}"] for end in ("", "_place", "_number"))).label(name) for name in _METRICS]
    middles = sa.select(*of_key, sa.func.count().label("compared"), *middle).group_by(*of_key).cte("middles")
    filled: dict[str, sa.ColumnElement[Any]] = {name: newest.c[name] for name in (*_KEY, *_COPIED)}
    filled |= {"audit_id": newest.c.id, "compared": sa.func.coalesce(middles.c.compared, 0)}
    for name, least in _METRICS.items():
        value, baseline = newest.c[name], middles.c[name]
        size = sa.case((sa.func.abs(baseline) > least, sa.func.abs(baseline)), else_=sa.literal(least))
        filled[f"{name}_baseline"] = sa.case((value.is_not(None), baseline))
        filled[f"{name}_change"] = (value - baseline) / size
    rows = sa.select(*filled.values()).where(newest.c.place == 1)
    rows = rows.select_from(newest.outerjoin(middles, sa.and_(*(newest.c[name] == middles.c[name] for name in _KEY))))
    connection.execute(sa.insert(table).from_select(list(filled), rows))


def _placed(dialect: str) -> sa.Select[Any]:
    """Finished audits of each page, profile and environment, with their places: the newest is in the first."""
    kinds: dict[str, Any] = {
        "finished_at": _TIME,
        "environment": sa.Text(),
        "conditions_id": sa.Uuid(),
        **dict.fromkeys(_METRICS, sa.Float()),
    }
    columns = [sa.column(name, kinds.get(name)) for name in ("id", "state", *_KEY, *_COPIED)]
    audits = sa.table("audits", *columns)
    finished = audits.c.state == sa.literal_column("'FINISHED'")
    order = (audits.c.finished_at.desc(), audits.c.id.desc())
    of_key = [audits.c[name] for name in _KEY]
    wanted = [audits.c[name] for name in ("id", *_KEY, *_COPIED)]
    if dialect != "postgresql":
        return sa.select(*wanted, sa.func.row_number().over(partition_by=of_key, order_by=order).label("place")).where(finished)
    # Which looks for fifty of each by the index, and does not sort all that there are.
    keys = sa.select(*of_key).where(finished).distinct().subquery("keys")
    these = [audits.c[name] == keys.c[name] for name in _KEY]
    each = sa.select(*wanted, sa.func.row_number().over(order_by=order).label("place")).where(finished, *these)
    found = each.order_by(*order).limit(50).lateral("found")
    return sa.select(*found.c).select_from(keys.join(found, sa.true()))


def _middle(value: sa.ColumnElement[Any], place: sa.ColumnElement[Any], number: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The mean of the two in the middle, which may be one; of fewer than two there is none."""
    return sa.func.avg(sa.case((sa.and_(number >= 2, 2 * place >= number, 2 * place <= number + 2), value)))


def downgrade() -> None:
    op.drop_index(op.f("ix_latest_audits_workspace_id"), "latest_audits")
    op.drop_table("latest_audits")
