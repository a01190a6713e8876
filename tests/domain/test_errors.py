"""Refusals: one sentence and one code, however many faults there are."""

from __future__ import annotations

import pytest

from domain.errors import Conflict, Fault, InvalidInput, LimitReached, NotAllowed, NotFound, ProblemCode, Refused
from domain.ids import new_id


def test_one_fault_speaks_for_itself() -> None:
    refused = InvalidInput.at("name", "A name is needed.", ProblemCode.REQUIRED)
    assert (refused.message, refused.code) == ("A name is needed.", ProblemCode.REQUIRED)
    assert refused.faults == (Fault(("name",), "A name is needed.", ProblemCode.REQUIRED),)


def test_several_faults_are_all_kept_and_counted() -> None:
    faults = [Fault((str(number),), "Wrong.", ProblemCode.MALFORMED) for number in range(3)]
    refused = InvalidInput(iter(faults))
    assert (refused.message, refused.code) == ("3 things are wrong with this input.", ProblemCode.INVALID)
    assert refused.faults == tuple(faults)


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (NotFound("Gone."), "NOT_FOUND"),
        (NotAllowed("No.", "READ"), "PERMISSION_MISSING"),
        (Conflict("Twice.", ProblemCode.ALREADY_EXISTS, ("site", new_id())), "ALREADY_EXISTS"),
        (LimitReached("Enough.", 5), "TOO_MANY"),
    ],
)
def test_every_refusal_has_a_sentence_and_a_stable_code(refused: Refused, code: str) -> None:
    assert refused.code == code
    assert str(refused) == refused.message
    assert refused.message.endswith(".")


def test_a_codes_value_is_its_name() -> None:
    assert [code.value for code in ProblemCode] == [code.name for code in ProblemCode]
