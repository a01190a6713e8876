"""What does not vary by itself, such as bytes and counts."""

from __future__ import annotations

from domain.measuring import MetricName
from domain.verdicts import Judgement, Reason, facts


def test_what_is_better_than_since_it_became_worse_is_better_though_it_was_better_still() -> None:
    levels = [[100.0, 100.0, 100.0], [200.0]]
    found = facts.said(MetricName.SCRIPT_BYTES, levels, [120.0], is_proved=False, goes_on=True)
    assert found is not None
    assert (found.judgement, found.reason, found.before, found.after) == (Judgement.IMPROVED, Reason.DIFFERENT, 200, 120)


def test_of_two_that_are_chosen_the_one_is_compared_with_the_other() -> None:
    found = facts.compared(MetricName.SCRIPT_BYTES, [200.0], [100.0])
    assert found is not None
    assert (found.judgement, found.before) == (Judgement.IMPROVED, 200)
    assert facts.compared(MetricName.SCRIPT_BYTES, [200.0], [201.0]) is None
