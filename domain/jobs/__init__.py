"""Background work: claimed by one worker, counted, given back, given up, revived."""

from .actions import drop, revive
from .claims import (
    Claim,
    ClaimLost,
    Lapsed,
    finish,
    give_up,
    hold,
    lapse,
    postpone,
    release,
    sent,
    take,
    unsent,
    wait,
    withdraw,
    withdraw_all,
)
from .model import JobRow, KindRow
from .patience import giving_back, record, take_next
from .queries import DEAD, by_kinds, dead_by_ids
from .rules import CLAIM, MAX_DELIVERIES, PERSON_WAITS, SCHEDULED

__all__ = [
    "CLAIM",
    "DEAD",
    "MAX_DELIVERIES",
    "PERSON_WAITS",
    "SCHEDULED",
    "Claim",
    "ClaimLost",
    "JobRow",
    "KindRow",
    "Lapsed",
    "by_kinds",
    "dead_by_ids",
    "drop",
    "finish",
    "give_up",
    "giving_back",
    "hold",
    "lapse",
    "postpone",
    "record",
    "release",
    "revive",
    "sent",
    "take",
    "take_next",
    "unsent",
    "wait",
    "withdraw",
    "withdraw_all",
]
