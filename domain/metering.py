"""Every metric that Pacemark gives: without a provider, and on the paths of every request, it costs next to nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

# The boundaries that the semantic conventions advise for HTTP servers; jobs and engines take longer.
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_WORK_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600)
_LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

Label = str | int


class Cell:
    """What was counted under one set of labels: how many per bucket, and their sum."""

    __slots__ = ("counts", "sum")

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.sum = 0.0


class Tally:
    """A histogram of seconds, counted here: through the SDK one measurement takes longer than a small query's resolvers.

    Its labels must be few and words of ours. It is for one thread; collecting it from another is harmless.
    """

    def __init__(self, name: str, description: str, boundaries: Sequence[float], labels: Sequence[str] = ()) -> None:
        self.name = name
        self.description = description
        self.boundaries = tuple(boundaries)
        self._labels = tuple(labels)
        self._cells: dict[tuple[Label | None, ...], Cell] = {}
        if not labels:
            self._cells[()] = Cell(len(self.boundaries) + 1)

    def record(self, seconds: float, *labels: Label | None) -> None:
        """One measurement with a value for each label; None for one that does not apply."""
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = Cell(len(self.boundaries) + 1)
        cell.counts[bisect_left(self.boundaries, seconds)] += 1
        cell.sum += seconds

    def collect(self) -> Iterator[tuple[Mapping[str, Label], Cell]]:
        """Everything counted so far, by labels."""
        for labels, cell in tuple(self._cells.items()):
            yield {name: value for name, value in zip(self._labels, labels, strict=True) if value is not None}, cell

    def observe(self, _options: CallbackOptions) -> Iterator[Observation]:
        """How many measurements there were, for a counter beside the histogram."""
        for labels, cell in self.collect():
            yield Observation(sum(cell.counts), labels)


class Count:
    """A counter with one label, counted here for the same reason."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._counts: dict[str, int] = {}

    def add(self, value: str) -> None:
        """One more; the label's values are words of ours."""
        self._counts[value] = self._counts.get(value, 0) + 1

    def observe(self, _options: CallbackOptions) -> Iterator[Observation]:
        for value, number in tuple(self._counts.items()):
            yield Observation(number, {self._label: value})


REQUEST_DURATION = Tally(
    "http.server.request.duration",
    "How long requests took to answer.",
    _REQUEST_SECONDS,
    ("http.request.method", "url.scheme", "http.route", "http.response.status_code", "error.type"),
)
OPERATION_DURATION = Tally(
    "graphql.operation.duration",
    "How long GraphQL operations took; of a subscription, how long until it stood.",
    _REQUEST_SECONDS,
    ("graphql.operation.type", "outcome"),
)
EXECUTIONS = Count("graphql.engine")
_events_lag = Tally("pacemark.events.lag", "From an event's commit to its delivery to a subscriber.", _LAG_SECONDS)
TALLIES = (REQUEST_DURATION, OPERATION_DURATION, _events_lag)

_meter = metrics.get_meter("pacemark")


def _counter(name: str, unit: str, description: str) -> metrics.Counter:
    return _meter.create_counter(name, unit=unit, description=description)


def _histogram(name: str, description: str) -> metrics.Histogram:
    return _meter.create_histogram(name, unit="s", description=description, explicit_bucket_boundaries_advisory=_WORK_SECONDS)


_jobs_finished = _counter("pacemark.jobs.finished", "{delivery}", "Deliveries of jobs that came to an end.")
_jobs_duration = _histogram("pacemark.jobs.duration", "How long a worker took over a delivery.")
_jobs_redeliveries = _counter("pacemark.jobs.redeliveries", "{delivery}", "Deliveries of jobs that had been delivered before.")
_engine_runs = _counter("pacemark.engine.runs", "{run}", "Runs of the engines.")
_engine_duration = _histogram("pacemark.engine.duration", "How long the engines' runs took.")
_events_published = _counter("pacemark.events.published", "{event}", "Events that left through the relay.")
_subscribers = _meter.create_up_down_counter(
    "pacemark.subscribers", unit="{subscription}", description="Subscriptions that are open in this process."
)


def job_finished(kind: str, outcome: str, seconds: float) -> None:
    """A worker is done with one delivery of a job, well or not; both are words of ours."""
    labels = {"kind": kind, "outcome": outcome}
    _jobs_finished.add(1, labels)
    _jobs_duration.record(seconds, labels)


def job_redelivered(kind: str) -> None:
    """A worker begins with a job that had been delivered before."""
    _jobs_redeliveries.add(1, {"kind": kind})


def engine_ran(engine: str, outcome: str, seconds: float) -> None:
    """One run of an engine ended, well or not; both are words of ours."""
    labels = {"engine": engine, "outcome": outcome}
    _engine_runs.add(1, labels)
    _engine_duration.record(seconds, labels)


def events_published(count: int = 1) -> None:
    """So many events left through the relay."""
    _events_published.add(count)


def event_delivered(lag_seconds: float) -> None:
    """One event reached one subscriber, so long after its commit (as two machines' clocks tell it)."""
    _events_lag.record(max(lag_seconds, 0.0))


def subscribed() -> None:
    """A subscription was opened."""
    _subscribers.add(1)


def unsubscribed() -> None:
    """A subscription ended."""
    _subscribers.add(-1)


class QueueRow(NamedTuple):
    """What there is of one kind of job; the age is null when nothing waits."""

    kind: str
    waiting: int
    running: int
    dead: int
    oldest_age_seconds: float | None
    redeliveries: int
    unsent: int


class Backlog(NamedTuple):
    """What waits in the database: work by its kinds, and events that have not left for the bus. None: not known."""

    queues: Sequence[QueueRow] = ()
    events: int | None = None


class PoolCounts(NamedTuple):
    """The connections of one pool."""

    idle: int
    used: int


_backlogs: list[Callable[[], Backlog]] = []
_pools: list[tuple[str, Callable[[], PoolCounts | None]]] = []


def watch_backlog(read: Callable[[], Backlog]) -> Callable[[], None]:
    """`read` is asked whenever metrics are collected, from any thread. Returns what ends that."""
    _backlogs.append(read)
    return lambda: _backlogs.remove(read)


def watch_pool(name: str, read: Callable[[], PoolCounts | None]) -> None:
    """The same for a pool of connections, until `read` gives None: then the pool is gone."""
    _pools.append((name, read))


def _connections(_options: CallbackOptions) -> Iterator[Observation]:
    for watched in tuple(_pools):
        name, read = watched
        counts = read()
        if counts is None:
            _pools.remove(watched)
            continue
        for state, number in zip(("idle", "used"), counts, strict=True):
            yield Observation(number, {"db.client.connection.pool.name": name, "db.client.connection.state": state})


def _unpublished(_options: CallbackOptions) -> Iterator[Observation]:
    for read in tuple(_backlogs):
        if (number := read().events) is not None:
            yield Observation(number)


def _gauge(name: str, unit: str, description: str, value: Callable[[QueueRow], float | None]) -> None:
    def observe(_options: CallbackOptions) -> Iterator[Observation]:
        for row in [row for read in tuple(_backlogs) for row in read().queues]:
            number = value(row)
            if number is not None:
                yield Observation(number, {"kind": row.kind})

    _meter.create_observable_gauge(name, [observe], unit=unit, description=description)


_gauge("pacemark.jobs.waiting", "{job}", "Jobs that wait for a worker.", lambda row: row.waiting)
_gauge("pacemark.jobs.running", "{job}", "Jobs that a worker holds.", lambda row: row.running)
_gauge("pacemark.jobs.dead", "{job}", "Jobs that were given up.", lambda row: row.dead)
_gauge("pacemark.jobs.oldest.age", "s", "How long the oldest waiting job has waited.", lambda row: row.oldest_age_seconds)
_gauge("pacemark.jobs.unsent", "{job}", "Waiting jobs whose call is not known to be on the bus.", lambda row: row.unsent)
_gauge("pacemark.jobs.redelivered", "{delivery}", "Repeated deliveries of the jobs there are.", lambda row: row.redeliveries)
_meter.create_observable_gauge(
    "pacemark.events.unpublished", [_unpublished], unit="{event}", description="Events that have not left for the bus."
)
_meter.create_observable_counter(
    "graphql.operations", [OPERATION_DURATION.observe], unit="{operation}", description="GraphQL operations."
)
_meter.create_observable_counter(
    "graphql.executions",
    [EXECUTIONS.observe],
    unit="{execution}",
    description="Executions by engine: a plan, or graphql-core.",
)
_meter.create_observable_counter(
    "pacemark.events.delivered", [_events_lag.observe], unit="{event}", description="Events that reached a subscriber."
)
_meter.create_observable_up_down_counter(
    "db.client.connection.count", [_connections], unit="{connection}", description="Connections of the database's pools."
)
