"""What NATS holds in the end."""

from __future__ import annotations

import json
from typing import NamedTuple

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

EVENTS, JOBS = "TRIAL_EVENTS", "TRIAL_JOBS"
BATCH = 500


class Place(NamedTuple):
    """An event in the stream: the stream's own sequence, and what the message says."""

    sequence: int
    workspace: str
    subject: str
    kind: str


class Stream(NamedTuple):
    """`calls` is how many calls wait for a worker, `followers` how many processes read the events."""

    events: list[Place]
    calls: int
    followers: int


async def calls_left(url: str) -> int:
    """How many calls nobody has dealt with yet."""
    client = await nats.connect(url, allow_reconnect=False)
    try:
        info = await client.jetstream().stream_info(JOBS)
        return info.state.messages
    finally:
        await client.close()


async def read(url: str) -> Stream:
    client = await nats.connect(url, allow_reconnect=False)
    try:
        stream = client.jetstream()
        info, calls = await stream.stream_info(EVENTS), await stream.stream_info(JOBS)
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True)
        reader = await stream.pull_subscribe("trial.events.>", stream=EVENTS, config=config)
        events: list[Place] = []
        while len(events) < info.state.messages:
            for message in await reader.fetch(min(BATCH, info.state.messages - len(events)), timeout=5):
                said = json.loads(message.data)
                events.append(Place(message.metadata.sequence.stream, said["workspace"], said["subject"], said["kind"]))
        return Stream(events, calls.state.messages, info.state.consumer_count)
    finally:
        await client.close()
