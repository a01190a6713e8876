"""The enums of snapshots and verdicts in GraphQL, every value described."""

from __future__ import annotations

from domain import audits, snapshots, verdicts

from .enums import described

described(
    snapshots.Cause,
    "Who or what started a snapshot.",
    PERSON="A person.",
    SCHEDULE="A schedule.",
    DEPLOY="A deploy.",
    BUILD="A build, in continuous integration.",
    CONFIRMATION="Pacemark itself, to look once more at what another snapshot made suspect.",
)
described(
    snapshots.SnapshotState,
    "How a snapshot stands. FINISHED and CANCELLED are final.",
    RUNNING="Some of its audits wait or run.",
    FINISHED="All its audits have ended, one way or another.",
    CANCELLED="Somebody stopped it.",
)
described(
    verdicts.Judgement,
    "What a verdict says.",
    REGRESSED="It changed for the worse. Of a judged snapshot that is confirmed; of two chosen ones the reason tells.",
    IMPROVED="It changed for the better. Of a judged snapshot that is confirmed; of two chosen ones the reason tells.",
    NO_EVIDENCE="Nothing shows that it changed; a change smaller than the smallest detectable one may hide.",
    INCOMPARABLE="It was not measured under the same conditions as before.",
)
described(
    verdicts.Reason,
    "Why a verdict says what it says. New ones may come.",
    CONFIRMED="The first snapshot showed it, later ones did too, and all together pass the correction for everything compared.",
    UNCONFIRMED="It passes the correction for everything compared, and no later snapshot was there to confirm it. Only two "
    "snapshots that somebody chose are said to differ so.",
    DIFFERENT="What does not vary by itself is not what it was in any snapshot before.",
    SUSPECTED="The first snapshot shows a change, and nobody was told: where it is judged, it is being looked into.",
    NOT_CONFIRMED="The first snapshot showed a change, and all together do not.",
    TOO_SMALL="What changed is less than anybody is told of.",
    WITHIN_NOISE="What differs is what differs by chance.",
    TOO_FEW="There are too few snapshots before to know the noise: it takes four of the page as it was.",
    CONDITIONS_CHANGED="The profile, the engine's major version or the pool of runners changed.",
    MACHINE_CHANGED="The machine that measured became another: its benchmark moved.",
)
described(
    audits.DifferenceKind,
    "How something differs from what it was.",
    ADDED="It was not there.",
    REMOVED="It is there no more.",
    GROWN="It is more than it was.",
    SHRUNK="It is less than it was.",
    CHANGED="It is as much as it was, and rests on other things.",
)
