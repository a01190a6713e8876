"""The second wall: row-level security on PostgreSQL, and a security log to which is only ever added."""

from __future__ import annotations

from alembic import op

revision = "2026_11_22_1500"
down_revision = "2026_11_22_1400"
branch_labels = None
depends_on = None

_TENANTS = (
    "api_clients",
    "api_keys",
    "audits",
    "document_aliases",
    "document_usage",
    "documents",
    "events",
    "files",
    "findings",
    "invitations",
    "jobs",
    "member_sites",
    "members",
    "pages",
    "profiles",
    "pushed_versions",
    "requests",
    "runs",
    "schedules",
    "security_log",
    "site_access",
    "site_profiles",
    "sites",
    "workspaces",
)
_WITHOUT_WORKSPACE = ("jobs", "security_log")
"""Whose rows may belong to no workspace."""

_LOG_IS_FINAL = "The security log is only ever added to."

# Each part is asked once a statement, not once a row: a sub-select that refers to no row is.
_EVERYTHING = "(SELECT coalesce(current_setting('pacemark.reach', true) = '*', false))"
_REACH = "CAST((SELECT string_to_array(nullif(current_setting('pacemark.reach', true), '*'), ',')) AS uuid[])"  # NULL: nothing


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER security_log_no_{change.lower()} BEFORE {change} ON security_log "
                f"BEGIN SELECT RAISE(ABORT, '{_LOG_IS_FINAL}'); END"
            )
        return
    for table in _TENANTS:
        column = "id" if table == "workspaces" else "workspace_id"
        reached = f"{_EVERYTHING} OR {column} = ANY ({_REACH})"
        if table in _WITHOUT_WORKSPACE:
            reached = f"{column} IS NULL OR {reached}"
        written = "true" if table == "security_log" else reached
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY reach ON {table} USING ({reached}) WITH CHECK ({written})")
    op.execute(
        "CREATE FUNCTION security_log_is_final() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_LOG_IS_FINAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER security_log_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON security_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION security_log_is_final()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(f"DROP TRIGGER security_log_no_{change}")
        return
    op.execute("DROP TRIGGER security_log_is_final ON security_log")
    op.execute("DROP FUNCTION security_log_is_final()")
    for table in _TENANTS:
        op.execute(f"DROP POLICY reach ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
