"""The words of alerts and channels, and what lists of alerts take."""

from __future__ import annotations

from typing import Annotated

import strawberry

from domain import alerts, notifications
from domain.alerts import AlertKind, AlertSeverity, AlertState
from domain.errors import InvalidInput, ProblemCode
from domain.paging import DEFAULT_FIRST, Window

from .enums import described
from .loaders import PageOf
from .paging import After, First

described(
    alerts.AlertKind,
    "What an alert is about.",
    BREACH="A budget is breached.",
    VERDICT="A page became worse, as a verdict found.",
    FAILURE="A page cannot be measured.",
    SILENCE="A schedule brings nothing any more.",
)
described(
    alerts.AlertSeverity,
    "How grave an alert is.",
    WARNING="Worth a look.",
    ERROR="Worth acting on.",
)
described(
    alerts.AlertState,
    "How an alert stands.",
    OPEN="It is so, and nobody said that they know.",
    ACKNOWLEDGED="Somebody knows of it: nothing but its end is told, unless it gets worse; then it is open again.",
    SNOOZED="It is put off for a while; then it is told again if it is so still, or before, if it gets worse.",
    RESOLVED="It is so no more.",
)
described(
    alerts.Resolution,
    "Why an alert ended.",
    RECOVERED="It was seen to be so no more.",
    BY_PERSON="Somebody ended it.",
    DISABLED="Nobody looks at it any more: what would find it was paused or deleted.",
)
described(
    notifications.ChannelKind,
    "By what a channel is told.",
    WEBHOOK="JSON to a URL, signed as Standard Webhooks are.",
    SLACK="A message to an incoming webhook of Slack, or of what understands the same.",
    EMAIL="A mail to each of some addresses.",
)
described(
    notifications.PauseReason,
    "Why nothing is sent to a channel.",
    BY_PERSON="Somebody paused it.",
    GONE="Its server answered 410: nobody is there any more.",
    FAILING="It took nothing for 5 days, in 10 tries at least.",
)
described(
    notifications.Moment,
    "What of an alert is told.",
    OPENED="It began.",
    WORSENED="It is graver than it was, or more is wrong.",
    RESOLVED="It ended.",
    REMINDER="It was put off until now, and is so still.",
    TEST="Nothing: somebody tests the channel.",
)
described(
    notifications.DeliveryState,
    "How a delivery stands. SENT and FAILED are final, until somebody wants it tried again.",
    WAITING="It waits for its next try.",
    SENT="It was taken.",
    FAILED="It was tried as often as it is, or trying again would change nothing.",
)


def alerts_given(
    first: First = DEFAULT_FIRST,
    after: After = None,
    state: Annotated[AlertState | None, strawberry.argument(description="Those that stand so; left out, all.")] = None,
    kinds: Annotated[
        list[AlertKind] | None,
        strawberry.argument(description="About these; left out, all. An empty list is refused: it could give nothing."),
    ] = None,
    severity: Annotated[AlertSeverity | None, strawberry.argument(description="As grave as this; left out, all.")] = None,
) -> PageOf:
    if kinds is not None and not kinds:
        message = "Name a kind at least, or leave kinds out for all of them."
        raise InvalidInput.at("kinds", message, ProblemCode.REQUIRED)
    graves = (severity,) if severity is not None else tuple(AlertSeverity)
    values = (("kinds", tuple(sorted(set(kinds or AlertKind)))), ("severities", graves))
    return PageOf(Window.of(first, after), values if state is None else (*values, ("state", state)))
