"""NATS JetStream: `NatsBus` implements `domain.ports.Bus` and `domain.ports.Sender`, and publishes the history."""

from .bus import NatsBus
from .connection import Patience
from .errors import BusAway, NatsUnusable, OutOfStep

__all__ = ["BusAway", "NatsBus", "NatsUnusable", "OutOfStep", "Patience"]
