"""Under which conditions an audit was made: one row for all that were made so, named by each of them."""

from __future__ import annotations

from uuid import UUID, uuid5

import sqlalchemy as sa
from alembic import op

revision = "2026_11_23_0810"
down_revision = "2026_11_23_0800"
branch_labels = None
depends_on = None

_INDEX = "ix_audits_page_id_profile_id_environment_state_finished_at"
_COLUMNS = ["page_id", "profile_id", "environment", "state", "finished_at"]
_CHARTED = ["performance_score", "lcp_ms", "fcp_ms", "tbt_ms", "cls", "speed_index_ms", "ttfb_ms"]

# Each part is asked once a statement, not once a row: a sub-select that refers to no row is.
_EVERYTHING = "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false))"
_REACH = "CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[])"  # NULL: nothing

_WHAT = (
    "environment",
    "profile_version",
    "engine",
    "engine_version",
    "form_factor",
    "throttling_method",
    "rtt_ms",
    "throughput_kbps",
    "cpu_slowdown",
    "runner_pool",
)
_NUMBERS = ("rtt_ms", "throughput_kbps", "cpu_slowdown")


def upgrade() -> None:
    conditions = op.create_table(
        "conditions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("profile_version", sa.Integer(), nullable=False),
        sa.Column("engine", sa.String(40), nullable=False),
        sa.Column("engine_major", sa.Integer(), nullable=True),
        sa.Column("form_factor", sa.String(40), nullable=False),
        sa.Column("throttling_method", sa.String(40), nullable=True),
        sa.Column("rtt_ms", sa.Float(), nullable=True),
        sa.Column("throughput_kbps", sa.Float(), nullable=True),
        sa.Column("cpu_slowdown", sa.Float(), nullable=True),
        sa.Column("runner_pool", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_conditions_workspace_id_workspaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conditions")),
    )
    op.create_index(op.f("ix_conditions_workspace_id"), "conditions", ["workspace_id"])
    op.add_column("audits", sa.Column("conditions_id", sa.Uuid(), nullable=True))
    op.drop_index(op.f(_INDEX), "audits")
    _fill(conditions)
    # SQLite's indexes hold nothing beside their keys.
    op.create_index(op.f(_INDEX), "audits", _COLUMNS, postgresql_include=["workspace_id", "conditions_id", *_CHARTED])
    if op.get_bind().dialect.name == "postgresql":
        reached = f"{_EVERYTHING} OR workspace_id = ANY ({_REACH})"
        op.execute("ALTER TABLE conditions ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE conditions FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY reach ON conditions USING ({reached}) WITH CHECK ({reached})")


def _fill(conditions: sa.Table) -> None:
    """What is there, and by which audits it is named."""
    connection = op.get_bind()
    audits = sa.table("audits", sa.column("state", sa.Text()), sa.column("conditions_id", sa.Uuid()), *_columns())
    finished = audits.c.state == "FINISHED"
    rows = connection.execute(sa.select(*(audits.c[each.name] for each in _columns())).where(finished).distinct()).all()
    if not rows:
        return
    ids = sa.Column("conditions_id", sa.Uuid())
    found = sa.Table("found", sa.MetaData(), ids, *_columns(), prefixes=["TEMPORARY"])
    found.create(connection)
    made = [_conditions(*row) for row in rows]
    connection.execute(
        sa.insert(found), [{"conditions_id": each["id"], **row._mapping} for each, row in zip(made, rows, strict=True)]
    )
    connection.execute(sa.insert(conditions), list({each["id"]: each for each in made}.values()))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE found")
    # By what is never null the tables are joined.
    always = ("workspace_id", "environment", "profile_version", "engine", "form_factor")
    same = [audits.c[name] == found.c[name] for name in always]
    same += [audits.c[name].is_not_distinct_from(found.c[name]) for name in _WHAT if name not in always]
    connection.execute(sa.update(audits).where(finished, *same).values(conditions_id=found.c.conditions_id))
    found.drop(connection)


def _columns() -> list[sa.Column[str]]:
    kinds = {"workspace_id": sa.Uuid(), "profile_version": sa.Integer(), **dict.fromkeys(_NUMBERS, sa.Float())}
    return [sa.Column(name, kinds.get(name, sa.Text())) for name in ("workspace_id", *_WHAT)]  # type: ignore[arg-type]


def _conditions(workspace_id: UUID, *values: object) -> dict[str, object]:
    """As the house reckons them: those of a workspace that are equal have the same id."""
    place = _WHAT.index("engine_version")
    values = (*values[:place], _major(values[place]), *values[place + 1 :])
    names = ("engine_major" if name == "engine_version" else name for name in _WHAT)
    return {"id": uuid5(workspace_id, ascii(values)), "workspace_id": workspace_id, **dict(zip(names, values, strict=True))}


def _major(version: object) -> int | None:
    major = str(version or "").split(".")[0]
    return int(major) if major.isascii() and major.isdigit() and int(major) < 2**31 else None


def downgrade() -> None:
    op.drop_index(op.f(_INDEX), "audits")
    op.drop_column("audits", "conditions_id")
    op.create_index(op.f(_INDEX), "audits", _COLUMNS, postgresql_include=["workspace_id", *_CHARTED])
    op.drop_index(op.f("ix_conditions_workspace_id"), "conditions")
    op.drop_table("conditions")
