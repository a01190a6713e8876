"""The domain's enums in GraphQL, every value described."""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from domain import audits, files, metrics
from domain.access import Permission, Role
from domain.documents import ClientMode
from domain.errors import ProblemCode
from domain.measuring import EngineName, FailureKind, FormFactor, MetricName, Phase, ResourceType, Severity, ThrottlingMethod
from domain.security import SecurityKind
from domain.work import EventKind


def described(cls: type[Enum], description: str, **values: str) -> None:
    """Register a domain enum in place: annotations go on naming the domain's own class."""
    strawberry.enum(cls, description=description)
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[value.name]


described(
    ProblemCode,
    "Which rule refused. New codes may come; treat an unknown one by the problem's type.",
    REQUIRED="Something that is needed was left out.",
    TOO_LONG="A text has too many characters.",
    OUT_OF_RANGE="A number is smaller or greater than allowed.",
    MALFORMED="A value does not have the form that it needs.",
    URL_INVALID="This is not an address that can be audited.",
    URL_NOT_ALLOWED="This address may not be audited from here.",
    ID_MALFORMED="This is not an id.",
    ID_WRONG_KIND="This is the id of another kind of thing.",
    CURSOR_INVALID="This cursor belongs to another list, or to none.",
    NOT_FOUND="It is not there, or it is not yours.",
    NOT_SIGNED_IN="This needs somebody who is signed in.",
    SIGN_IN_REFUSED="The e-mail or the password is not right; which of them, nobody is told.",
    PERMISSION_MISSING="Your role lacks the permission.",
    ALREADY_EXISTS="There is one like it already.",
    KEY_REUSED="The idempotency key was used with other input.",
    STATE_CHANGED="It is in a state in which this cannot be done.",
    IN_USE="Something else still needs it.",
    TOO_MANY="There are as many as allowed.",
    INVALID="Several things are wrong; see the fields.",
)
described(
    Role,
    "What a member or an API key is in a workspace.",
    OWNER="May do everything.",
    ADMIN="May also manage profiles, access, keys, API clients, documents, channels and jobs that were given up.",
    MEMBER="May also watch sites, request audits, schedule them, set budgets, tell of deploys, and deal with alerts.",
    VIEWER="May look.",
)
described(
    Permission,
    "One thing that may be done in a workspace.",
    READ="See its sites, how they are measured, and what was measured.",
    AUDIT_REQUEST="Request audits.",
    AUDIT_CANCEL="Stop audits.",
    SITE_WRITE="Add, change and delete sites and pages.",
    SCHEDULE_WRITE="Add, change, pause and delete schedules.",
    ALERT_WRITE="Acknowledge, put off and end alerts.",
    MARK_WRITE="Tell of deploys, and write annotations.",
    BUDGET_WRITE="Add, import, change and delete budgets.",
    PROFILE_WRITE="Add, change and delete profiles.",
    ACCESS_WRITE="Set and clear what is sent to reach a site.",
    KEY_WRITE="Issue and revoke API keys.",
    JOB_WRITE="Replay and drop jobs that were given up.",
    CHANNEL_WRITE="See, add, change, test and delete the channels that are told of alerts.",
    DOCUMENT_WRITE="Add, change and delete API clients, and push and prune their documents.",
    MEMBER_READ="See who is in it.",
    MEMBER_WRITE="Invite, change and remove members.",
    SECURITY_READ="Read its security log.",
    WORKSPACE_WRITE="Rename it, hand it over and delete it.",
)
described(
    ClientMode,
    "What the keys of an API client may ask.",
    OPEN="Anything.",
    LOG_UNKNOWN="Anything; what is not registered is written to the server's log.",
    SAFELIST="What is registered, by its id or by its very text.",
    REGISTERED_ONLY="What is registered, by its id alone.",
)
described(
    EngineName,
    "How a page is measured.",
    PROBE="The built-in probe: plain HTTP, no browser.",
    LIGHTHOUSE="A real Lighthouse with a real Chromium on the runner.",
    PAGESPEED="Google's PageSpeed Insights; public pages only.",
)
described(
    FormFactor,
    "The kind of device that is measured, or pretended to be.",
    MOBILE="A phone.",
    DESKTOP="A desktop computer.",
)
described(
    ThrottlingMethod,
    "How a slower network and processor come about.",
    SIMULATE="Computed from a fast load.",
    DEVTOOLS="The browser slows itself down.",
    PROVIDED="Nothing is slowed down.",
)
described(
    Phase,
    "How far an audit has come.",
    QUEUED="It waits for a runner.",
    STARTING="A runner has it.",
    LOADING="The page is being loaded.",
    RESOURCES="What the page refers to is being loaded.",
    ANALYSING="What was loaded is being looked at.",
    WAITING="The engine waits for its turn or for a limit.",
    RECORDING="A run is being recorded.",
    ENDED="It has ended, one way or another.",
)
described(
    FailureKind,
    "Who has to act on a failed audit.",
    PAGE="The page's owner: it could not be measured as it is.",
    CONFIGURATION="Whoever runs Pacemark: a key or a program is missing or refused.",
    ENGINE="Nobody, at first: the engine failed; trying again may help.",
)
described(
    Severity,
    "How much a finding matters.",
    INFO="Good to know.",
    LOW="A small loss.",
    MEDIUM="Worth a place on the list.",
    HIGH="Worth doing first.",
)
described(
    ResourceType,
    "What a request fetched.",
    DOCUMENT="An HTML document.",
    SCRIPT="JavaScript.",
    STYLESHEET="CSS.",
    IMAGE="A picture.",
    FONT="A font.",
    MEDIA="Sound or video.",
    OTHER="Anything else.",
)
described(
    audits.AuditState,
    "How an audit stands. FINISHED, FAILED and CANCELLED are final.",
    QUEUED="It waits for a runner.",
    RUNNING="A runner measures it.",
    FINISHED="It is measured.",
    FAILED="It could not be measured; see `failure`.",
    CANCELLED="Somebody stopped it.",
)
described(
    EventKind,
    "What a workspace's history tells of. New kinds may come.",
    AUDIT_REQUESTED="An audit was asked for, and waits.",
    AUDIT_STARTED="A runner has the audit.",
    AUDIT_PROGRESSED="The audit has come further.",
    AUDIT_REQUEUED="The audit waits again: its runner was stopped or lost, or somebody wants it tried again.",
    AUDIT_FINISHED="The audit is measured.",
    AUDIT_FAILED="The audit could not be measured.",
    AUDIT_CANCELLED="Somebody stopped the audit.",
    SNAPSHOT_REQUESTED="A snapshot was asked for, and its audits wait.",
    SNAPSHOT_FINISHED="All audits of a snapshot have ended, one way or another.",
    SNAPSHOT_CANCELLED="Somebody stopped a snapshot.",
    SNAPSHOT_JUDGED="What a snapshot measured was compared with what was measured before, and the verdicts are final.",
    DEPLOY_RECORDED="Another version of a site went live.",
    SCHEDULE_FIRED="A schedule asked for audits.",
    SCHEDULE_SKIPPED="A schedule was due and asked for no audit.",
    ALERT_OPENED="Something is wrong.",
    ALERT_WORSENED="It is graver than it was, or more is wrong; whoever knew of it may not know of that.",
    ALERT_RESOLVED="It is so no more.",
    ALERT_ACKNOWLEDGED="Somebody knows of it.",
    ALERT_SNOOZED="Somebody put it off, or it is put off no longer.",
    CHANNEL_PAUSED="Nothing is sent to a channel any more, since it took nothing for days, or said that it is gone.",
)
described(
    MetricName,
    "The metrics of the catalogue; see `metrics` for units, thresholds and links.",
    **{metric.name.name: metric.title for metric in metrics.CATALOGUE.values()},
)
described(
    metrics.Unit,
    "What a metric is counted in.",
    MILLISECOND="Milliseconds.",
    BYTE="Bytes.",
    COUNT="A number of things.",
    SCORE="A score from 0 to 1.",
    DAY="Days.",
    UNITLESS="A plain number.",
)
described(
    metrics.Direction,
    "Which way is better.",
    LOWER_IS_BETTER="Less is better.",
    HIGHER_IS_BETTER="More is better.",
)
described(
    metrics.Rating,
    "How good a value is, by the published thresholds.",
    GOOD="At least as good as the good threshold.",
    NEEDS_IMPROVEMENT="Between the thresholds.",
    POOR="Worse than the poor threshold.",
)
described(
    audits.Interval,
    "How much time one point stands for.",
    AUTO="The shortest that keeps the chart readable (at most 400 points).",
    NONE="Every audit is a point.",
    HOUR="An hour.",
    DAY="A day.",
    WEEK="A week, from Monday on.",
    MONTH="A month.",
)
described(
    audits.Statistic,
    "Which number stands for an interval's audits.",
    P50="The median.",
    P75="The 75th percentile, by the nearest rank.",
    P95="The 95th percentile, by the nearest rank.",
    MEAN="The mean.",
    MIN="The least.",
    MAX="The greatest.",
)
described(
    files.FileKind,
    "What an artifact holds.",
    REPORT="The engine's whole report, as JSON.",
    SCREENSHOT="The page as it ended.",
    FILMSTRIP="One picture of its loading.",
)
described(
    audits.PageOrderBy,
    "What pages are ordered by.",
    NAME="By name.",
    NEWEST="The newest page first.",
    VALUE="The worst value of a metric first, by each page's newest audit, under whatever conditions that was made; pages "
    "without one last.",
    CHANGE="What got worse most first, by how far each newest audit is from those before it; where nothing is known, last.",
)
described(
    SecurityKind,
    "What somebody did that others may want to know of. New ones may come.",
    ACCOUNT_CREATED="Somebody signed up.",
    ACCOUNT_DELETED="Somebody deleted their account.",
    ACCOUNT_EXPORTED="Somebody took a copy of all that is known of them.",
    EMAIL_VERIFIED="An e-mail address was shown to be theirs.",
    EMAIL_CHANGE_REQUESTED="Another e-mail address was asked for; it is not theirs yet.",
    EMAIL_CHANGED="An account has another e-mail address.",
    SIGNED_IN="Somebody signed in.",
    SIGN_IN_REFUSED="A sign-in was refused, or a password that was asked for once more.",
    SIGNED_OUT="Somebody signed out.",
    SESSION_REVOKED="A session was ended from elsewhere.",
    TOKEN_REUSED="A refresh token was used again, so that its session was ended.",  # noqa: S106 - a description
    PASSWORD_CHANGED="A password was changed by whoever knew it.",  # noqa: S106 - a description
    PASSWORD_RESET_REQUESTED="A link for a new password was asked for.",  # noqa: S106 - a description
    PASSWORD_RESET="A new password was set by such a link.",  # noqa: S106 - a description
    IDENTITY_LINKED="An account can be signed in to through another service.",
    IDENTITY_UNLINKED="An account can be signed in to through other services no more, until they vouch for its address again.",
    KEY_ISSUED="An API key was issued.",
    KEY_ROTATED="An API key was given a successor.",
    KEY_REVOKED="An API key was revoked.",
    CLIENT_CHANGED="An API client was made, changed or deleted.",
    CHANNEL_CHANGED="A channel or a route of one was made, changed or deleted, or a channel's secret replaced.",
    ACCESS_SET="What is sent to reach a site was set.",
    ACCESS_CLEARED="What is sent to reach a site was taken away.",
    MEMBER_INVITED="Somebody was invited.",
    INVITATION_REVOKED="An invitation was taken back.",
    MEMBER_JOINED="Somebody became a member.",
    MEMBER_CHANGED="A member has another role, or other sites.",
    MEMBER_REMOVED="Somebody is a member no more.",
    WORKSPACE_CREATED="A workspace was made.",
    WORKSPACE_CHANGED="A workspace was changed.",
    WORKSPACE_TRANSFERRED="A workspace has another owner.",
    WORKSPACE_DELETED="A workspace was deleted, which can be undone for a while.",
    WORKSPACE_RESTORED="A deleted workspace was restored.",
)
