"""What goes wrong between Pacemark and NATS."""

from __future__ import annotations


class BusAway(Exception):  # noqa: N818 - the field's word for it
    """NATS could not be reached, or did not answer in time: what was to be sent may or may not have arrived."""


class NatsUnusable(Exception):  # noqa: N818 - it is the server that is not as it must be
    """NATS is there, and something about it has to be changed by people first. The text says what, in one sentence."""


class OutOfStep(Exception):  # noqa: N818 - an answer, not a failure
    """The stream does not end where the events to be published begin. `last` is the place where it does."""

    def __init__(self, last: int) -> None:
        super().__init__(f"The stream ends with place {last}.")
        self.last = last


class Refused(BusAway):
    """JetStream's answer was an error. `code` is its number, which says more than HTTP's."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"JetStream refused it: {description} ({code})")
        self.code = code
        self.description = description


NO_RESPONDERS = 503
NOT_ENABLED = (NO_RESPONDERS, 10039, 10076)
STREAM_NOT_FOUND = 10059
CONSUMER_NOT_FOUND = 10014
SUBJECTS_OVERLAP = 10065
WRONG_LAST_SEQUENCE = 10071


def plain(text: object) -> str:
    """What a server says, fit for a log line."""
    return "".join(letter if letter.isprintable() else " " for letter in str(text))[:200].strip()
