"""The catalogue's metrics are columns of the audit and of the run, fields of their rows and of the API: all, and no other."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import get_type_hints

import pytest
import sqlalchemy as sa
from graphql import GraphQLObjectType

from domain import audits, metrics
from domain.measuring import MetricName

COLUMNS = [metric.value for metric in MetricName]
OF_THE_AUDIT_ITSELF = {"rtt_ms"}  # how it was throttled, not what was measured
LOOKS_LIKE_ONE = ("_ms", "_bytes", "_count")


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def test_the_catalogue_describes_every_metric() -> None:
    assert list(metrics.CATALOGUE) == list(MetricName)


@pytest.mark.parametrize("table", [audits.Audit, audits.Run])
def test_every_metric_is_a_column_that_may_be_null(table: type[audits.Audit]) -> None:
    columns = table.__table__.c
    assert [name for name in COLUMNS if name not in columns] == []
    assert {type(columns[name].type) for name in COLUMNS} == {sa.Float}
    assert all(columns[name].nullable for name in COLUMNS)
    similar = {column.name for column in columns if column.name.endswith(LOOKS_LIKE_ONE)}
    assert similar - set(COLUMNS) <= OF_THE_AUDIT_ITSELF


def test_the_tables_columns_have_the_catalogues_order() -> None:
    from domain.audits import Audit

    (mixin,) = (base for base in Audit.__mro__ if base.__name__ == "MetricColumns")
    assert list(mixin.__annotations__) == COLUMNS


@pytest.mark.parametrize("row", [audits.AuditRow, audits.RunRow])
def test_every_metric_is_a_field_of_the_row(row: type[audits.AuditRow]) -> None:
    hints = get_type_hints(row)
    assert [name for name in COLUMNS if hints.get(name) != float | None] == []
    assert {name for name in row._fields if name.endswith(LOOKS_LIKE_ONE)} - set(COLUMNS) <= OF_THE_AUDIT_ITSELF


@pytest.mark.parametrize(
    ("row", "table"),
    [(audits.AuditRow, audits.Audit), (audits.RunRow, audits.Run), (audits.FindingRow, audits.Finding)],
)
def test_a_rows_fields_are_its_tables_columns(row: type[audits.AuditRow], table: type[audits.Audit]) -> None:
    assert set(row._fields) <= set(table.__table__.c.keys())


def test_every_metric_is_a_field_of_the_api_and_nothing_else_is() -> None:
    schema = import_module("graph.schema").schema._schema
    api = schema.type_map["AuditMetrics"]
    assert isinstance(api, GraphQLObjectType)
    assert sorted(api.fields) == sorted(map(camel, COLUMNS))
    assert {str(field.type) for field in api.fields.values()} == {"Float", "Int"}
    assert sorted(schema.type_map["MetricName"].values) == sorted(metric.name for metric in MetricName)


@pytest.mark.parametrize("metric", MetricName)
def test_a_metrics_name_ends_in_its_unit(metric: MetricName) -> None:
    ends: dict[metrics.Unit, Callable[[str], bool]] = {
        metrics.Unit.MILLISECOND: lambda name: name.endswith("_ms"),
        metrics.Unit.BYTE: lambda name: name.endswith("_bytes"),
        metrics.Unit.SCORE: lambda name: name.endswith("_score"),
        metrics.Unit.DAY: lambda name: name.endswith("_days"),
        metrics.Unit.COUNT: lambda name: name.endswith(("_count", "_size")),
        metrics.Unit.UNITLESS: lambda name: name == "cls",
    }
    assert ends[metrics.CATALOGUE[metric].unit](metric.value)
