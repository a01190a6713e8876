"""What waiting for a snapshot, or comparing two, came to: the exit status, and what there is to say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from app.judging.snapshots import Whole

NOTHING_REGRESSED, REGRESSED, NOTHING_COMPARED, PAGE_FAILED, NOT_JUDGED = 0, 1, 2, 3, 4

INCOMPARABLE = "Nothing could be compared: everything was measured otherwise than before."


class Outcome(NamedTuple):
    status: int
    sentences: Sequence[str] = ()


def of_waiting(found: Whole, in_time: bool, again: str) -> Outcome:
    """`again`: the command that shows it. Whatever keeps it from being known that nothing regressed is not 0."""
    if found.judgements["regressed"]:
        return Outcome(REGRESSED)
    if not in_time:
        return Outcome(NOT_JUDGED, [f"The time is over; it goes on: {again}"])
    if found.about["state"] == "CANCELLED":
        return Outcome(NOT_JUDGED, ["The snapshot was cancelled, and is not judged."])
    sentences = list(_missing(found))
    failures = found.failures()
    if failures:
        return Outcome(PAGE_FAILED if "PAGE" in failures else NOT_JUDGED, sentences)
    if sentences:
        return Outcome(NOT_JUDGED, sentences)
    if found.judgements["incomparable"] and not is_compared(found.judgements, found.verdicts):
        return Outcome(NOTHING_COMPARED, [INCOMPARABLE])
    return Outcome(NOTHING_REGRESSED)


def _missing(found: Whole) -> Iterable[str]:
    progress = found.about["progress"]
    for what in ("failed", "cancelled"):
        if number := progress[what]:
            were = "" if what == "failed" else "were " if number > 1 else "was "
            yield f"{number:,} of {progress['total']:,} audits {were}{what}: what they would have shown is not known."
    if not sum(found.judgements.values()):
        if progress["finished"]:
            yield "Nothing of it was judged: judging it was given up."
        elif not (progress["failed"] or progress["cancelled"]):
            yield "Nothing of it was measured, and nothing judged."
    if suspected := sum(row["reason"] == "SUSPECTED" for row in found.verdicts):
        yield f"{suspected:,} stayed suspected: measuring and judging them again was given up."


def of_comparison(found: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Outcome:
    """Of two snapshots of one's choice. `rows`: what is said of each metric."""
    said = found["judgements"]
    if said["regressed"]:
        return Outcome(REGRESSED)
    if is_compared(said, rows):
        return Outcome(NOTHING_REGRESSED)
    if not sum(said.values()):
        return Outcome(NOTHING_COMPARED, ["Nothing could be compared: no page was measured in both with the same profile."])
    if said["noEvidence"]:
        return Outcome(NOTHING_COMPARED, ["Nothing could be compared: there are too few snapshots to tell of the noise."])
    return Outcome(NOTHING_COMPARED, ["Nothing could be compared: the one was measured otherwise than the other."])


def is_compared(said: Mapping[str, int], rows: Iterable[Mapping[str, Any]]) -> bool:
    """Whether of anything more is known than that too few snapshots were there, or that it was measured otherwise."""
    too_few = sum(row["reason"] == "TOO_FEW" for row in rows)
    return bool(said["regressed"] or said["improved"] or said["noEvidence"] > too_few)
