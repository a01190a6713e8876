"""What changed between two audits of a page: its findings and its requests, by the run that stands for each.

Nothing is read here. What a run brings about by itself is no difference: see each rule below.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from ..measuring import ResourceType, Severity
from .matching import address, alike, subject_alike
from .model import FindingRow


class DifferenceKind(StrEnum):
    """How something differs from what it was."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    GROWN = "GROWN"
    SHRUNK = "SHRUNK"
    CHANGED = "CHANGED"


SHARE = 0.01
LEAST_BYTES = 256
"""A request is larger or smaller by this share and by so many bytes: another cookie or another date makes a few."""

LEAST_SAVING_BYTES = 1_024
ESTIMATE = 2.0
LEAST_SAVING_MS = 100
"""A saving in ms is an estimate from one run: it has grown when it is so many times what it was, and so much more."""

CUT_OFF = 20
"""Engines name so many pieces of evidence and no more: of a full list nobody knows what else belongs to it."""

MOST_KEPT = 100
"""Of each kind so many are told; all are counted."""

_GRAVITY = {severity: place for place, severity in enumerate((Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH))}


class RequestSize(NamedTuple):
    """Of a request as much as is compared."""

    audit_id: UUID
    url: str
    method: str
    resource_type: ResourceType
    transfer_bytes: float | None
    third_party: bool


@dataclass(frozen=True, slots=True)
class RequestDifference:
    """One request, or several that differ in nothing but what changes by itself. Bytes are None where none are known."""

    kind: DifferenceKind
    url: str
    resource_type: ResourceType
    third_party: bool
    requests_before: int
    requests_after: int
    bytes_before: float | None
    bytes_after: float | None

    @property
    def change_bytes(self) -> float:
        return (self.bytes_after or 0.0) - (self.bytes_before or 0.0)


@dataclass(frozen=True, slots=True)
class FindingDifference:
    """`before` is None for what was added, `after` for what was removed. Evidence that may have been cut off is in neither."""

    kind: DifferenceKind
    before: FindingRow | None
    after: FindingRow | None
    evidence_added: Sequence[Mapping[str, str]] = ()
    evidence_removed: Sequence[Mapping[str, str]] = ()

    @property
    def finding(self) -> FindingRow:
        found = self.after or self.before
        assert found is not None
        return found


D = TypeVar("D", RequestDifference, FindingDifference)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Differences(Generic[D]):
    """How many there are of each kind, and the weightiest of them, at most MOST_KEPT of a kind, in that order."""

    counts: Mapping[DifferenceKind, int]
    kept: Sequence[D]

    def number(self, kind: DifferenceKind) -> int:
        return self.counts.get(kind, 0)

    def some(self, kind: DifferenceKind | None, first: int) -> Sequence[D]:
        return [each for each in self.kept if kind is None or each.kind is kind][:first]


def _together(found: Iterable[D], weight: Callable[[D], Any]) -> Differences[D]:
    counts = Counter[DifferenceKind]()
    kept: list[D] = []
    for each in sorted(found, key=weight):
        counts[each.kind] += 1
        if counts[each.kind] <= MOST_KEPT:
            kept.append(each)
    return Differences(counts, kept)


def requests(
    before: Iterable[RequestSize],
    after: Iterable[RequestSize],
    own_before: Collection[str] = (),
    own_after: Collection[str] = (),
) -> Differences[RequestDifference]:
    """Those with the very same address are the same first; of the others, those that are alike. The most bytes first.

    Several that are alike are one, lest one has to be taken for another: what each load asks for under another address is
    no difference, as long as it is as much.
    """
    sides = [
        [(each.method, address(each.url, own), each) for each in side]
        for side, own in ((before, own_before), (after, own_after))
    ]
    same = {(method, where) for method, where, _ in sides[0]} & {(method, where) for method, where, _ in sides[1]}
    groups: dict[tuple[str, str, bool], tuple[list[RequestSize], list[RequestSize]]] = defaultdict(lambda: ([], []))
    for place, side in enumerate(sides):
        for method, where, each in side:
            is_same = (method, where) in same
            groups[method, where if is_same else alike(where), is_same][place].append(each)
    found = (_request(*group) for group in groups.values())
    return _together((each for each in found if each is not None), lambda each: (-abs(each.change_bytes), each.kind, each.url))


def _request(before: Sequence[RequestSize], after: Sequence[RequestSize]) -> RequestDifference | None:
    kind = DifferenceKind.REMOVED if not after else DifferenceKind.ADDED if not before else None
    was, now = _bytes(before), _bytes(after)
    if kind is None:
        change = now - was if was is not None and now is not None else 0.0
        if abs(change) < max(SHARE * (was or 0.0), LEAST_BYTES):
            change = float(len(after) - len(before))
        if not change:
            return None
        kind = DifferenceKind.GROWN if change > 0 else DifferenceKind.SHRUNK
    shown = (after or before)[0]
    what = (shown.url, shown.resource_type, shown.third_party)
    return RequestDifference(kind, *what, len(before), len(after), was, now)


def _bytes(side: Sequence[RequestSize]) -> float | None:
    known = [each.transfer_bytes for each in side if each.transfer_bytes is not None]
    return sum(known) if known else None


def findings(
    before: Iterable[FindingRow], after: Iterable[FindingRow], own_before: Collection[str] = (), own_after: Collection[str] = ()
) -> Differences[FindingDifference]:
    """By their rules; the gravest first."""
    sides = [_by_rule(side) for side in (before, after)]
    found = [
        _finding(sides[0].get(rule), sides[1].get(rule), own_before, own_after)
        for rule in dict.fromkeys([*sides[1], *sides[0]])
    ]
    kinds = list(DifferenceKind)
    return _together(
        (each for each in found if each is not None),
        lambda each: (-_GRAVITY[each.finding.severity], kinds.index(each.kind), each.finding.rule),
    )


def _by_rule(side: Iterable[FindingRow]) -> dict[tuple[str, int], FindingRow]:
    """One that is there twice is the first one and the second one."""
    number, found = Counter[str](), {}
    for each in side:
        found[each.rule, number[each.rule]] = each
        number[each.rule] += 1
    return found


def _finding(
    before: FindingRow | None, after: FindingRow | None, own_before: Collection[str], own_after: Collection[str]
) -> FindingDifference | None:
    if after is None:
        return FindingDifference(DifferenceKind.REMOVED, before, after, (), before.evidence if before is not None else ())
    if before is None:
        return FindingDifference(DifferenceKind.ADDED, before, after, after.evidence)
    added = _missing(after.evidence, own_after, before.evidence, own_before)
    removed = _missing(before.evidence, own_before, after.evidence, own_after)
    turn = _turn(before, after) or _sign(len(after.evidence) - len(before.evidence))
    if turn:
        kind = DifferenceKind.GROWN if turn > 0 else DifferenceKind.SHRUNK
    elif added or removed:
        kind = DifferenceKind.CHANGED
    else:
        return None
    return FindingDifference(kind, before, after, added, removed)


def _turn(before: FindingRow, after: FindingRow) -> int:
    """1 for what became worse by its numbers, -1 for what became better.

    Of what is no more than information, numbers alone say nothing. Nor does a severity that follows from an estimate.
    """
    if _GRAVITY[before.severity] == _GRAVITY[after.severity] == 0:
        return 0
    was, now = before.saving_bytes or 0.0, after.saving_bytes or 0.0
    if abs(now - was) >= max(SHARE * was, LEAST_SAVING_BYTES):
        return _sign(now - was)
    less, more = sorted((before.saving_ms or 0.0, after.saving_ms or 0.0))
    if more >= ESTIMATE * less and more - less >= LEAST_SAVING_MS:
        return _sign((after.saving_ms or 0.0) - (before.saving_ms or 0.0))
    estimated = before.saving_ms is not None or after.saving_ms is not None
    return 0 if estimated else _sign(_GRAVITY[after.severity] - _GRAVITY[before.severity])


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def _missing(
    here: Sequence[Mapping[str, str]], own_here: Collection[str], there: Sequence[Mapping[str, str]], own_there: Collection[str]
) -> Sequence[Mapping[str, str]]:
    """What is here and not there, as often as it is; nothing where the other list is full: it may have had no room."""
    if len(there) >= CUT_OFF:
        return ()
    left = Counter(subject_alike(piece["subject"], own_there) for piece in there)
    found = []
    for piece in here:
        subject = subject_alike(piece["subject"], own_here)
        if left[subject] > 0:
            left[subject] -= 1
        else:
            found.append(piece)
    return found
