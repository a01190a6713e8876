"""The enums of budgets in GraphQL, every value described."""

from __future__ import annotations

from domain import budgets

from .enums import described

described(
    budgets.SubjectKind,
    "What kind of thing a budget limits.",
    METRIC="A metric of the catalogue.",
    METRIC_SCORE="The score that Lighthouse gives a metric's value.",
    RESOURCE_SIZE="What requests of a type weigh together.",
    RESOURCE_COUNT="How many requests of a type there are.",
    FINDING="A finding: how many pieces of evidence it may have.",
    CATEGORY="A category's score.",
    USER_TIMING="What the page itself marked or measured.",
)
described(
    budgets.BudgetResource,
    "Which requests of a page.",
    DOCUMENT="HTML documents.",
    SCRIPT="JavaScript.",
    STYLESHEET="CSS.",
    IMAGE="Pictures.",
    FONT="Fonts.",
    MEDIA="Sound and video.",
    OTHER="Anything else.",
    THIRD_PARTY="Whatever went to somebody else's site.",
    TOTAL="All of them.",
)
described(
    budgets.LimitKind,
    "What a limit is compared with.",
    ABSOLUTE="With the value itself.",
    RELATIVE="With the page as it was: so many percent worse than the median of its last five audits under equal conditions.",
)
described(
    budgets.Aggregation,
    "Which value of an audit's several runs counts. Scores of categories other than performance, findings and user timings are "
    "known of the representative run alone.",
    MEDIAN="The median; of an even number of runs the mean of the two middle ones.",
    OPTIMISTIC="The best one.",
    PESSIMISTIC="The worst one; and it is a breach when some run lacks the value.",
    MEDIAN_RUN="That of the representative run, for scores too.",
)
described(
    budgets.BudgetSeverity,
    "How much a breach matters.",
    WARN="It is told.",
    ERROR="It is told, and fails a build.",
)
described(
    budgets.BudgetSource,
    "Where a budget came from; it decides what happens where several match one page.",
    MANUAL="It was made by itself. All that match apply.",
    BUDGET_JSON="A budget.json. Of one file the last entry that matches applies, and no other.",
    LHCI="Assertions of Lighthouse CI. All that match apply.",
)
described(
    budgets.BudgetFormat,
    "What a text with budgets is.",
    BUDGET_JSON="A budget.json, as Lighthouse read it until version 12.",
    LHCI="A .lighthouserc.json of Lighthouse CI, or what stands in its ci.assert.",
)
described(
    budgets.BudgetState,
    "What came of holding an audit against a budget.",
    PASSED="It is within the limit.",
    BREACHED="It is beyond the limit and its tolerance.",
    NOT_JUDGED="Nobody can tell; see the reason.",
)
described(
    budgets.BudgetReason,
    "Why an audit was not judged, or was judged without a worse value.",
    NOT_MEASURED="The audit has no such value.",
    RUN_WITHOUT_VALUE="Some run lacks the value, which PESSIMISTIC does not let pass.",
    TOO_FEW_BEFORE="Fewer than three audits under equal conditions came before.",
    OTHER_ENGINE="It is about one of Lighthouse's audits, which the probe does not know.",
)
