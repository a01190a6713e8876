"""Statements as client spans, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from infra.db.tracing import MAX_TEXT, describe, meter_pool, trace_statements
from infra.telemetry import Telemetry
from tests.telemetry import Spans, scrape, spans, telemetry

__all__ = ["spans", "telemetry"]

SECRET = "hunter2"
MAKE = text("CREATE TABLE things (id integer PRIMARY KEY, name text)")
ADD = text("INSERT INTO things (id, name) VALUES (:id, :name)")
FIND = text("SELECT name FROM things WHERE name = :name")


@pytest.fixture
async def engine(database_url: str) -> AsyncGenerator[AsyncEngine, None]:
    made = create_async_engine(database_url)
    async with made.begin() as connection:
        await connection.execute(MAKE)
    trace_statements(made)
    yield made
    await made.dispose()


async def test_a_statement_is_a_span_without_what_it_was_given(engine: AsyncEngine, spans: Spans) -> None:
    with spans.root() as root:
        async with engine.begin() as connection:
            await connection.execute(ADD, {"id": 1, "name": SECRET})
            assert (await connection.execute(FIND, {"name": SECRET})).scalar_one() == SECRET
    found = spans.one("SELECT things")
    assert found.kind is SpanKind.CLIENT
    assert found.parent == root.get_span_context()
    attributes: dict[str, Any] = dict(found.attributes or {})
    sql = attributes.pop("db.query.text")
    assert sql.startswith("SELECT name FROM things WHERE name = ")
    assert {name: value for name, value in attributes.items() if name.startswith("db.") and name != "db.namespace"} == {
        "db.system.name": "sqlite" if engine.dialect.name == "sqlite" else "postgresql",
        "db.operation.name": "SELECT",
        "db.collection.name": "things",
        "db.query.summary": "SELECT things",
    }
    if engine.dialect.name == "postgresql":
        assert attributes["db.namespace"] == engine.url.database
        assert (attributes["server.address"], attributes["server.port"]) == (engine.url.host, engine.url.port)
    assert spans.one("INSERT things").status.status_code is StatusCode.UNSET
    assert SECRET not in spans.text()
    assert str(engine.url.password) not in spans.text()


async def test_many_rows_in_one_statement_are_one_span_that_says_how_many(engine: AsyncEngine, spans: Spans) -> None:
    with spans.root():
        async with engine.begin() as connection:
            await connection.execute(ADD, [{"id": number, "name": SECRET} for number in range(3)])
    assert (spans.one("INSERT things").attributes or {})["db.operation.batch.size"] == 3


async def test_a_refused_statement_is_an_error_with_the_databases_code(engine: AsyncEngine, spans: Spans) -> None:
    async with engine.begin() as connection:
        await connection.execute(ADD, {"id": 1, "name": "a"})
    with spans.root():
        async with engine.connect() as connection:
            with pytest.raises(IntegrityError):
                await connection.execute(ADD, {"id": 1, "name": SECRET})
    refused = spans.one("INSERT things")
    code = "SQLITE_CONSTRAINT_PRIMARYKEY" if engine.dialect.name == "sqlite" else "23505"
    assert refused.status.status_code is StatusCode.ERROR
    assert refused.status.description is None
    assert (refused.attributes or {})["error.type"] == code
    assert (refused.attributes or {})["db.response.status_code"] == code
    assert SECRET not in spans.text()


async def test_nothing_is_made_where_nothing_records(engine: AsyncEngine, spans: Spans) -> None:
    async with engine.begin() as connection:
        await connection.execute(ADD, {"id": 1, "name": "a"})
    spans.sampling(on=False)
    with spans.root():
        async with engine.begin() as connection:
            await connection.execute(FIND, {"name": "a"})
    assert spans.ended == ()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_statement_that_is_cancelled_ends_and_is_no_error(engine: AsyncEngine, spans: Spans) -> None:
    with spans.root(), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3), engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(60) FROM things RIGHT JOIN (VALUES (1)) AS one (x) ON true"))
    cancelled = spans.one("SELECT things")
    assert cancelled.status.status_code is StatusCode.UNSET
    assert (cancelled.attributes or {})["error.type"] == "CancelledError"


async def test_a_pool_tells_how_many_connections_are_idle_and_used(engine: AsyncEngine, telemetry: Telemetry) -> None:
    meter_pool(engine, "of the test")

    def connections(state: str) -> float:
        labels = {"db_client_connection_pool_name": "of the test", "db_client_connection_state": state}
        return scrape(telemetry).value("db_client_connection_count", **labels)

    async with engine.connect(), engine.connect():
        assert (connections("idle"), connections("used")) == (0, 2)
    assert (connections("idle"), connections("used")) == (2, 0)
    without_pool = create_async_engine(engine.url, poolclass=NullPool)
    meter_pool(without_pool, "of none")
    assert {"of none"}.isdisjoint(
        labels["db_client_connection_pool_name"] for labels in scrape(telemetry).labels("db_client_connection_count")
    )


@pytest.mark.parametrize(
    ("sql", "operation", "collection", "summary"),
    [
        ("SELECT a FROM sites WHERE b = $1", "SELECT", "sites", "SELECT sites"),
        ("select 1", "SELECT", None, "SELECT"),
        ("SELECT a\nFROM sites JOIN pages ON x = y", "SELECT", None, "SELECT sites pages"),
        ("SELECT a FROM sites WHERE b IN (SELECT value FROM json_each(?))", "SELECT", "sites", "SELECT sites"),
        ("SELECT a FROM t WHERE b IS DISTINCT FROM c FOR UPDATE OF t SKIP LOCKED", "SELECT", "t", "SELECT t"),
        ("SELECT a FROM x AS y LEFT JOIN LATERAL (SELECT 1 FROM z) AS w ON true", "SELECT", None, "SELECT x z"),
        ('DELETE FROM "files" WHERE id = $1', "DELETE", "files", "DELETE files"),
        ("INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = $2", "INSERT", "t", "INSERT t"),
        ("UPDATE t SET a = $1 WHERE b = $2 RETURNING c", "UPDATE", "t", "UPDATE t"),
        (
            "WITH next AS (SELECT id FROM jobs LIMIT 1), x AS MATERIALIZED (SELECT 1 FROM next) UPDATE jobs SET a = 1 FROM x",
            "UPDATE",
            "jobs",
            "UPDATE jobs",
        ),
        ("WITH RECURSIVE n (a, b) AS (SELECT 1 FROM t) SELECT a FROM n", "SELECT", "t", "SELECT t"),
        ("BEGIN IMMEDIATE", "BEGIN", None, "BEGIN"),
        ("PRAGMA journal_mode = WAL", "PRAGMA", None, "PRAGMA"),
        ("", "OTHER", None, "OTHER"),
    ],
)
def test_a_statement_is_summed_up_by_what_it_does_and_to_what(
    sql: str, operation: str, collection: str | None, summary: str
) -> None:
    assert describe(sql)[:3] == (operation, collection, summary)


def test_literals_are_left_out_and_long_texts_cut() -> None:
    assert describe(f"SELECT '{SECRET}', 'it''s {SECRET}' FROM t").text == "SELECT ?, ? FROM t"
    assert len(describe("SELECT " + "a, " * MAX_TEXT).text) == MAX_TEXT
