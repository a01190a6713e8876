"""The two streams of an installation: what they must be like, making them so, and telling when they are not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from .errors import CONSUMER_NOT_FOUND, NOT_ENABLED, STREAM_NOT_FOUND, SUBJECTS_OVERLAP, NatsUnusable, Refused
from .session import Session

OLDEST = (2, 10)
_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_OWNER = "pacemark.history"
_BEFORE = "pacemark.history.before"
_PREFIX = re.compile(r"[a-z0-9_-]{1,32}")
_KIND = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


class Names:
    """What the streams, subjects and consumers of one installation are called."""

    def __init__(self, prefix: str) -> None:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("A NATS prefix has 1 to 32 letters a to z, digits, _ and -.")
        self.jobs = f"{prefix.upper()}_JOBS"
        self.events = f"{prefix.upper()}_EVENTS"
        self.wake = f"{prefix}.wake"
        self._prefix = prefix

    @property
    def all_jobs(self) -> str:
        return f"{self._prefix}.jobs.>"

    @property
    def all_events(self) -> str:
        return f"{self._prefix}.events.>"

    def job(self, kind: str) -> str:
        return f"{self._prefix}.jobs.{_checked(kind)}"

    def consumer(self, kind: str) -> str:
        return _checked(kind).replace(".", "-")

    def event(self, workspace_id: UUID) -> str:
        return f"{self._prefix}.events.{workspace_id.hex}"


class Streams:
    """Works on one session. Every method raises BusAway when the server goes away meanwhile."""

    def __init__(self, session: Session, names: Names, *, ack: float, answer: float) -> None:
        self._session = session
        self._names = names
        self._ack = ack
        self._answer = answer

    async def verify(self, history_id: UUID) -> None:
        """Raises NatsUnusable where the server, or what is there by our names, must not be used by this database."""
        await self._usable()
        for name in (self._names.jobs, self._names.events):
            await self._owned(name, history_id)

    async def declare(self, history_id: UUID, first: int, kinds: Sequence[str]) -> None:
        """Make what is missing and change what is different. Raises NatsUnusable, before anything of others is touched."""
        await self._usable()
        jobs, events = self._jobs(), self._events()
        present = {stream.name: await self._owned(stream.name, history_id) for stream in (jobs, events)}
        for stream in (jobs, events):
            config = present[stream.name]
            owner = {"metadata": {_OWNER: history_id.hex}}
            if config is None:
                start = {"first_seq": first} if stream is events else {}
                await self._change("CREATE", stream, stream.settings | start | owner)
            elif _different(config, stream.settings):
                await self._change("UPDATE", stream, config | stream.settings)
        for kind in kinds:
            consumer = self._names.consumer(kind)
            subject, settings = f"{jobs.name}.{consumer}.{self._names.job(kind)}", self._consumer(kind)
            body = {"stream_name": jobs.name, "config": settings}
            try:
                await self._api(f"CONSUMER.CREATE.{subject}", body)
            except Refused as refused:
                raise NatsUnusable(
                    f"The consumer {consumer} of the stream {jobs.name} cannot be changed in place "
                    f"({refused.description}). Delete it, and run: pacemark migrate"
                ) from None

    async def check(self, history_id: UUID, kinds: Sequence[str]) -> None:
        """Raises NatsUnusable when something is not as `declare` leaves it."""
        await self._usable()
        for stream in (self._jobs(), self._events()):
            config = await self._owned(stream.name, history_id)
            if config is None:
                raise NatsUnusable(f"There is no stream {stream.name} on this NATS server. Run: pacemark migrate")
            _agree(f"The stream {stream.name}", config, stream.settings)
        for kind in kinds:
            consumer = self._names.consumer(kind)
            try:
                info = await self._api(f"CONSUMER.INFO.{self._names.jobs}.{consumer}")
            except Refused as refused:
                if refused.code != CONSUMER_NOT_FOUND:
                    raise
                raise NatsUnusable(f"The stream {self._names.jobs} has no consumer {consumer}. Run: pacemark migrate") from None
            _agree(f"The consumer {consumer} of the stream {self._names.jobs}", info["config"], self._consumer(kind))

    async def last(self) -> int:
        """The last place that the stream of events has had; -1 when there is no such stream."""
        info = await self._info(self._names.events)
        return int(info["state"]["last_seq"]) if info is not None else -1

    async def start_over(self, history_id: UUID, first: int, before: UUID) -> None:
        """Delete the stream of events, and make it again from this place on, with what else was set about it.

        Both streams are the history's of this name then, and still that of the name before: whoever dies between this and
        its commit must find them to be its own.
        """
        owner = {"metadata": {_OWNER: history_id.hex} | ({_BEFORE: before.hex} if before != history_id else {})}
        events, jobs = await self._info(self._names.events), await self._info(self._names.jobs)
        config = self._events().settings
        if events is not None:
            config = events["config"] | config
            await self._api(f"STREAM.DELETE.{self._names.events}")
        await self._change("CREATE", self._events(), config | {"first_seq": first} | owner)
        if jobs is not None:
            await self._change("UPDATE", self._jobs(), jobs["config"] | owner)

    async def _usable(self) -> None:
        version = self._session.version
        if version is not None and version < OLDEST:
            raise NatsUnusable(
                f"The NATS server has version {version[0]}.{version[1]}; Pacemark needs {OLDEST[0]}.{OLDEST[1]} or newer."
            )
        try:
            await self._api("INFO")
        except Refused as refused:
            if refused.code not in NOT_ENABLED:
                raise NatsUnusable(f"JetStream cannot be used on this NATS server: {refused.description}.") from None
            raise NatsUnusable(
                "JetStream is switched off on this NATS server: start it with -js, or allow it for this account."
            ) from None

    async def _owned(self, name: str, history_id: UUID) -> dict[str, Any] | None:
        """The stream's settings; None when there is none. Raises NatsUnusable when it is another's."""
        info = await self._info(name)
        if info is None:
            return None
        config: dict[str, Any] = info["config"]
        metadata = config.get("metadata") or {}
        if history_id.hex not in (metadata.get(_OWNER), metadata.get(_BEFORE)):
            whose = "belongs to another Pacemark database" if _OWNER in metadata else "was not made by Pacemark"
            raise NatsUnusable(f"The stream {name} {whose}. Give this one another prefix: PACEMARK_NATS_PREFIX")
        return config

    async def _info(self, name: str) -> dict[str, Any] | None:
        try:
            return await self._api(f"STREAM.INFO.{name}")
        except Refused as refused:
            if refused.code == STREAM_NOT_FOUND:
                return None
            raise

    async def _change(self, verb: str, stream: _Stream, config: Mapping[str, Any]) -> None:
        try:
            await self._api(f"STREAM.{verb}.{stream.name}", config)
        except Refused as refused:
            if refused.code == SUBJECTS_OVERLAP:
                taken = stream.settings["subjects"][0]
                raise NatsUnusable(
                    f"Another stream already takes the subjects {taken}. Give this one another prefix: PACEMARK_NATS_PREFIX"
                ) from None
            done = "made" if verb == "CREATE" else "changed in place"
            raise NatsUnusable(f"The stream {stream.name} cannot be {done}: {refused.description}.") from None

    async def _api(self, subject: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return await self._session.api(subject, body, seconds=self._answer)

    def _jobs(self) -> _Stream:
        # A call that is pushed out by a million others is in the database still.
        jobs = {"retention": "workqueue", "discard": "old", "max_msgs": 1_000_000, "max_age": 0}
        return _Stream(self._names.jobs, jobs | _stream(self._names.jobs, self._names.all_jobs))

    def _events(self) -> _Stream:
        events = {"retention": "limits", "discard": "old", "max_msgs": -1, "max_age": _DAY}
        return _Stream(self._names.events, events | _stream(self._names.events, self._names.all_events))

    def _consumer(self, kind: str) -> dict[str, Any]:
        return {
            "name": self._names.consumer(kind),
            "durable_name": self._names.consumer(kind),
            "filter_subject": self._names.job(kind),
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(self._ack * _SECOND),
            "max_deliver": -1,  # the database counts
            "max_ack_pending": 10_000,
            "max_waiting": 4_096,
        }


class _Stream(NamedTuple):
    name: str
    settings: dict[str, Any]


def _stream(name: str, subjects: str) -> dict[str, Any]:
    return {
        "name": name,
        "subjects": [subjects],
        "storage": "file",
        "duplicate_window": 120 * _SECOND,
        "deny_delete": False,
        "deny_purge": False,
    }


def _different(config: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """The settings that are not as wanted. What else people have set (replicas, placement, …) is theirs."""
    return [name for name, value in settings.items() if config.get(name, type(value)()) != value]


def _agree(what: str, config: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    if different := _different(config, settings):
        raise NatsUnusable(f"{what} is not set up as this version wants it ({', '.join(different)}). Run: pacemark migrate")


def _checked(kind: str) -> str:
    if not _KIND.fullmatch(kind):
        raise ValueError("A kind of job is made of a to z, 0 to 9 and _, in parts between dots.")
    return kind
