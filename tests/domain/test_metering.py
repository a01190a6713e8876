from __future__ import annotations

from timeit import repeat

import pytest

from domain import metering
from domain.metering import Backlog, PoolCounts, QueueRow, Tally
from infra.telemetry import Telemetry
from tests.telemetry import Samples, scrape, telemetry

__all__ = ["telemetry"]


def test_a_tally_counts_into_the_bucket_whose_boundary_is_not_passed() -> None:
    tally = Tally("t", "A test.", (1, 2, 5), ("kind", "status"))
    for seconds in (0.0, 1.0, 1.5, 2.0, 5.0, 5.1, 99.0):
        tally.record(seconds, "a", 200)
    tally.record(3.0, "b", None)
    (first, one), (second, other) = tally.collect()
    assert (first, one.counts, one.sum) == ({"kind": "a", "status": 200}, [2, 2, 1, 2], 113.6)
    assert (second, other.counts, other.sum) == ({"kind": "b"}, [0, 0, 1, 0], 3.0)


def test_a_tally_takes_as_many_labels_as_it_names() -> None:
    tally = Tally("t", "A test.", (1,), ("kind",))
    tally.record(1.0)
    with pytest.raises(ValueError, match="zip"):
        list(tally.collect())


def test_a_tally_without_labels_shows_that_nothing_was_counted_yet() -> None:
    ((labels, cell),) = Tally("t", "A test.", (1,)).collect()
    assert (labels, cell.counts, cell.sum) == ({}, [0, 0], 0.0)


def test_a_measurement_of_every_request_costs_a_few_microseconds_at_most() -> None:
    tally = Tally("t", "A test.", metering.REQUEST_DURATION.boundaries, ("a", "b", "c"))
    assert min(repeat(lambda: tally.record(0.02, "GET", None, 200), number=10_000, repeat=20)) / 10_000 < 4e-6


def test_everything_that_is_measured_is_shown_by_its_name_and_unit(telemetry: Telemetry) -> None:
    before = scrape(telemetry)
    metering.job_finished("audit", "done", 0.2)
    metering.job_finished("audit", "failed", 20.0)
    metering.job_redelivered("audit")
    metering.engine_ran("PROBE", "ok", 0.3)
    metering.events_published(3)
    metering.event_delivered(0.002)
    metering.event_delivered(-0.5)
    metering.subscribed()
    metering.subscribed()
    metering.unsubscribed()
    metering.REQUEST_DURATION.record(0.02, "GET", "http", "/x", 200, None)
    metering.OPERATION_DURATION.record(0.02, "query", "ok")
    after = scrape(telemetry)

    def grown(name: str, **labels: str) -> float:
        return round(after.value(name, **labels) - before.value(name, **labels), 6)

    assert grown("pacemark_jobs_finished_total", kind="audit", outcome="done") == 1
    assert grown("pacemark_jobs_finished_total", kind="audit", outcome="failed") == 1
    assert grown("pacemark_jobs_duration_seconds_sum", kind="audit", outcome="failed") == 20
    assert grown("pacemark_jobs_duration_seconds_bucket", outcome="done", le="0.25") == 1
    assert grown("pacemark_jobs_duration_seconds_bucket", outcome="done", le="0.1") == 0
    assert grown("pacemark_jobs_redeliveries_total", kind="audit") == 1
    assert grown("pacemark_engine_runs_total", engine="PROBE", outcome="ok") == 1
    assert grown("pacemark_engine_duration_seconds_count", engine="PROBE", outcome="ok") == 1
    assert grown("pacemark_events_published_total") == 3
    assert grown("pacemark_events_delivered_total") == 2
    assert grown("pacemark_events_lag_seconds_count") == 2
    assert grown("pacemark_events_lag_seconds_sum") == 0.002
    assert grown("pacemark_subscribers") == 1
    assert grown("http_server_request_duration_seconds_bucket", http_route="/x", le="0.025") == 1
    assert grown("http_server_request_duration_seconds_bucket", http_route="/x", le="0.01") == 0
    assert grown("graphql_operations_total", graphql_operation_type="query", outcome="ok") == 1
    assert grown("graphql_operation_duration_seconds_count", graphql_operation_type="query", outcome="ok") == 1


def test_what_waits_is_shown_while_it_is_watched(telemetry: Telemetry) -> None:
    unwatch = metering.watch_backlog(
        lambda: Backlog([QueueRow("tests", 5, 2, 1, 12.5, 4, 3), QueueRow("empty", 0, 0, 0, None, 0, 0)], 7)
    )
    shown = scrape(telemetry)
    assert shown.value("pacemark_jobs_waiting", kind="tests") == 5
    assert shown.value("pacemark_jobs_running", kind="tests") == 2
    assert shown.value("pacemark_jobs_dead", kind="tests") == 1
    assert shown.value("pacemark_jobs_oldest_age_seconds", kind="tests") == 12.5
    assert shown.value("pacemark_jobs_redelivered", kind="tests") == 4
    assert shown.value("pacemark_jobs_unsent", kind="tests") == 3
    assert shown.value("pacemark_events_unpublished") == 7
    assert {"kind": "empty"} in shown.labels("pacemark_jobs_waiting")
    assert {"kind": "empty"} not in shown.labels("pacemark_jobs_oldest_age_seconds")
    unwatch()
    assert scrape(telemetry).labels("pacemark_jobs_waiting") == []


def test_a_pool_is_shown_until_it_is_gone(telemetry: Telemetry) -> None:
    found: list[PoolCounts | None] = [PoolCounts(idle=3, used=2)]
    metering.watch_pool("tests", lambda: found[0])

    def connections(shown: Samples, state: str) -> float:
        labels = {"db_client_connection_pool_name": "tests", "db_client_connection_state": state}
        return shown.value("db_client_connection_count", **labels)

    shown = scrape(telemetry)
    assert (connections(shown, "idle"), connections(shown, "used")) == (3, 2)
    found[0] = None
    assert connections(scrape(telemetry), "idle") == 0
    found[0] = PoolCounts(idle=9, used=9)
    assert connections(scrape(telemetry), "idle") == 0
