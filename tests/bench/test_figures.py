"""What the benchmark makes of its rounds."""

from __future__ import annotations

from bench import figures
from bench.figures import Beside, Kept, Taken


def taken(*rates: float) -> list[Taken]:
    return [Taken(rate, 1.0, 2.0, 0.5, 100.0, 50.0) for rate in rates]


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_the_medians() -> None:
    ours, theirs = taken(100, 50, 90), taken(50, 50, 30)
    assert figures.ratio(ours, theirs) == 2
    assert figures.middle(ours).rate / figures.middle(theirs).rate == 1.8


def test_the_middle_is_taken_figure_by_figure() -> None:
    rounds = [Taken(1, 9, 5, 0.1, 7, 3), Taken(2, 8, 6, 0.3, 8, 2), Taken(3, 7, 4, 0.2, 9, 1)]
    assert figures.middle(rounds) == Taken(2, 8, 5, 0.2, 8, 2)


def test_ratios_are_kept_by_peer_and_workload() -> None:
    rounds = {
        "lookup": {"pacemark": taken(600), "mercurius-jit": taken(500), "apollo": taken(300)},
        "introspection": {"pacemark": taken(10), "apollo": taken(20)},
    }
    assert figures.ratios(rounds) == {"mercurius-jit": {"lookup": 1.2}, "apollo": {"lookup": 2, "introspection": 0.5}}


def test_a_target_is_kept_from_its_very_value_on() -> None:
    found = {"mercurius-jit": {"lookup": 1.1, "history": 1.29}, "apollo": {"lookup": 0.1, "dashboard": 3.5}}
    assert figures.targets(found) == [
        Kept("mercurius-jit", "lookup", 1.1, 1.1),
        Kept("mercurius-jit", "history", 1.3, 1.29),
        Kept("apollo", "dashboard", 3, 3.5),
    ]
    assert [each.is_kept for each in figures.targets(found)] == [True, False, True]


def test_peers_stand_beside_what_was_measured_before() -> None:
    rounds = {"dashboard": {"pacemark": taken(900), "apollo": taken(150), "mercurius-jit": taken(600)}}
    assert figures.beside(rounds) == [Beside("apollo", "dashboard", 0.25, 144 / 456)]


def test_without_the_yardstick_nothing_stands_beside() -> None:
    assert figures.beside({"dashboard": {"pacemark": taken(900), "apollo": taken(150)}}) == []
