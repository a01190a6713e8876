"""Workspaces full of everything, inserted directly: what a day of measuring leaves, in a moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from domain import alerts, audits, budgets, documents, files, keys, marks, notifications, schedules, sites, snapshots, verdicts
from domain.access import SYSTEM, Reach, Role
from domain.base import Base
from domain.ids import Kind, encode, new_id
from domain.keyring import CHANNELS, Keyring
from domain.measuring import EngineName, FormFactor, MetricName, Phase, ResourceType, Severity
from domain.work import Event, EventKind, StoredJob
from infra.db.database import SqlDatabase
from tests import conditions, feeding
from tests.databases import everybodys

KEYRING = Keyring([b"secret"])
"""That of tests/graph/asking.py."""

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sizes:
    sites: int = 2
    pages: int = 2
    audits: int = 1
    runs: int = 2
    requests: int = 2
    findings: int = 2
    schedules: int = 1
    snapshots: int = 1
    marks: int = 1
    verdicts: int = 1
    alerts: int = 1
    deliveries: int = 1
    budgets: int = 1
    clients: int = 1
    documents: int = 1
    earlier: int = 0


@dataclass
class Filled:
    """The ids of what is there now, by kind, in the order of their making."""

    ids: dict[Kind, list[UUID]] = field(default_factory=dict)

    def readable(self, kind: Kind) -> list[str]:
        return [encode(kind, id) for id in self.ids[kind]]


async def fill(
    database: SqlDatabase, workspace_id: UUID, runner_id: UUID, sizes: Sizes | None = None, mark: str = "some"
) -> Filled:
    """Every text that a tenant could write holds `mark`; audits are finished, an hour apart."""
    sizes = sizes or Sizes()
    profiles = (await sites.profiles_by_workspace(database.reader, Reach.whole(workspace_id), [workspace_id]))[workspace_id]
    filling = _Filling(workspace_id, runner_id, profiles[0].id, sizes, mark)
    filling.fill()
    async with everybodys(database) as connection:
        audits_made = filling.rows.get(audits.Audit, [])
        if audits_made:
            await connection.execute(conditions.insertion([conditions.named(row) for row in audits_made]))
        made_so = {row["id"]: row["conditions_id"] for row in audits_made}
        for row in filling.rows.get(audits.LatestAudit, []):
            row["conditions_id"] = made_so[row["audit_id"]]
        for table, rows in filling.rows.items():
            for start in range(0, len(rows), 500):
                await connection.execute(insert(table), rows[start : start + 500])
    async with database.work(SYSTEM) as work:
        for event in filling.events:
            work.say(event)
    while not database.is_sqlite and await feeding.number(database):
        pass
    return Filled({Kind.WORKSPACE: [workspace_id], Kind.PROFILE: [profile.id for profile in profiles], **filling.ids})


class _Filling:
    def __init__(self, workspace_id: UUID, runner_id: UUID, profile_id: UUID, sizes: Sizes, mark: str) -> None:
        self.workspace_id = workspace_id
        self.runner_id = runner_id
        self.profile_id = profile_id
        self.sizes = sizes
        self.mark = mark
        self.rows: dict[type[Base], list[dict[str, Any]]] = {}
        self.ids: dict[Kind, list[UUID]] = {}
        self.events: list[Event] = []

    def _add(self, table: type[Base], of: Kind | None = None, /, **values: Any) -> UUID:
        id = new_id()
        row = {"workspace_id": self.workspace_id, **values}
        self.rows.setdefault(table, []).append({"id": id, **row} if "id" in table.__table__.c else row)
        if of is not None:
            self.ids.setdefault(of, []).append(id)
        return id

    def fill(self) -> None:
        client_id, *_ = [self._client(number) for number in range(self.sizes.clients)]
        self._add(
            keys.ApiKey,
            Kind.KEY,
            user_id=None,
            client_id=client_id,
            name=f"{self.mark} key",
            prefix=f"{self.mark}-prefix",
            digest=f"{self.mark} digest",
            role=Role.MEMBER,
            created_at=START,
            revoked_at=None,
        )
        for number in range(self.sizes.sites):
            self._site(number)
        self._channel(self.ids.get(Kind.SITE, [None])[0])

    def _site(self, number: int) -> None:
        site_id = self._add(
            sites.Site,
            Kind.SITE,
            default_profile_id=self.profile_id,
            slug=f"{self.mark}-{number}",
            name=f"{self.mark} site {number:03}",
            origin=f"https://{self.mark}-{number}.example",
            tags=[self.mark],
            created_at=START,
        )
        self._add(SiteProfile, site_id=site_id, profile_id=self.profile_id)
        for mark in range(self.sizes.marks):
            self._marks(site_id, START + timedelta(hours=mark))
        made = [self._snapshot(site_id) for _ in range(self.sizes.snapshots)]
        for budget in range(self.sizes.budgets):
            self._budget(site_id, f"{self.mark} budget {number:03} {budget:03}")
        for page in range(self.sizes.pages):
            self._page(site_id, page, made[0] if made else None)

    def _marks(self, site_id: UUID, at: datetime) -> None:
        self._add(
            marks.Deploy,
            Kind.DEPLOY,
            site_id=site_id,
            environment="production",
            version=f"{self.mark} version",
            commit_hash="c0ffee0",
            branch=f"{self.mark} branch",
            author=f"{self.mark} author",
            message=f"{self.mark} message",
            url=f"https://{self.mark}.example/release",
            at=at,
            recorded_at=START,
            recorded_by=f"{self.mark} person",
            snapshot_id=None,
        )
        written = {"text": f"{self.mark} text", "created_at": START, "created_by": f"{self.mark} person"}
        self._add(marks.Annotation, Kind.ANNOTATION, site_id=site_id, page_id=None, at=at, **written)

    def _snapshot(self, site_id: UUID) -> UUID:
        id = self._add(
            snapshots.Snapshot,
            Kind.SNAPSHOT,
            site_id=site_id,
            cause=snapshots.Cause.BUILD,
            state=snapshots.SnapshotState.FINISHED,
            name=f"{self.mark} snapshot",
            environment="production",
            base_url=f"https://{self.mark}.example",
            commit_hash="c0ffee0",
            branch=f"{self.mark} branch",
            ancestor_hash="c0ffee1",
            author=f"{self.mark} author",
            message=f"{self.mark} message",
            committed_at=START,
            build_url=f"https://{self.mark}.example/build",
            schedule_id=None,
            requested_by=f"{self.mark} person",
            requested_at=START,
            filled_at=START,
            finished_at=START,
        )
        ended = {"state": snapshots.SnapshotState.FINISHED, "cause": snapshots.Cause.BUILD}
        self.events.append(Event(EventKind.SNAPSHOT_FINISHED, self.workspace_id, id, site_id, ended))
        return id

    def _page(self, site_id: UUID, number: int, snapshot_id: UUID | None) -> None:
        path = f"/{self.mark}/{number:03}"
        page_id = self._add(
            sites.Page, Kind.PAGE, site_id=site_id, name=f"{self.mark} page {number:03}", path=path, created_at=START
        )
        for schedule in range(self.sizes.schedules):
            self._schedule(site_id, page_id, f"{self.mark} schedule {number:03} {schedule:03}")
        for alert in range(self.sizes.alerts):
            self._alert(site_id, page_id, f"{page_id.hex}:{alert}")
        for audit in range(self.sizes.audits):
            self._audit(site_id, page_id, path, START + timedelta(hours=audit), snapshot_id)
        if self.sizes.audits:
            self._newest(site_id, page_id, START + timedelta(hours=self.sizes.audits - 1))
        for budget_id in self.ids.get(Kind.BUDGET, [])[-self.sizes.budgets :] if self.sizes.audits else ():
            self._breach(site_id, page_id, budget_id)

    def _client(self, number: int) -> UUID:
        """With documents, which it has asked for."""
        client_id = self._add(
            documents.ApiClient,
            Kind.CLIENT,
            name=f"{self.mark} client {number:03}",
            mode=documents.ClientMode.LOG_UNKNOWN,
            created_at=START,
        )
        for document in range(self.sizes.documents):
            self._document(client_id, f"{self.mark}{number:03}{document:03}")
        return client_id

    def _document(self, client_id: UUID, name: str) -> None:
        text = f"query {name} {{ __typename }}"
        document_id = self._add(
            documents.Document,
            Kind.DOCUMENT,
            hash=documents.hash_of(text),
            text=text,
            name=name,
            names=[name],
            operation="query",
            cost=0.0,
            created_at=START,
        )
        whose = {"document_id": document_id, "client_id": client_id, "version": f"{self.mark}-1"}
        at = {"created_at": START, "created_by": f"{self.mark} person", "pushed_at": START}
        self._add(documents.DocumentAlias, None, **whose, **at, alias=f"{name}-alias")
        counted = {"calls": 1, "errors": 0, "last_at": START, "durations": [1]}
        self._add(documents.DocumentUsage, None, **whose, **counted)

    def _schedule(self, site_id: UUID, page_id: UUID, name: str) -> None:
        """Which is as if it had started the site's snapshots."""
        id = self._add(
            schedules.Schedule,
            Kind.SCHEDULE,
            site_id=site_id,
            page_id=page_id,
            profile_id=self.profile_id,
            name=name,
            environment=self.mark,
            runs=None,
            cron="0 6 * * *",
            every_minutes=None,
            time_zone="UTC",
            jitter_seconds=0,
            created_at=START,
            created_by=f"{self.mark} person",
            paused_at=None,
            next_at=START,
            last_at=START,
            firing_at=None,
            reached=None,
            asked=0,
            skipped=0,
            failures=0,
        )
        for row in self.rows.get(snapshots.Snapshot, []):
            if row["site_id"] == site_id:
                row["schedule_id"] = id

    def _alert(self, site_id: UUID, page_id: UUID, subject: str) -> None:
        self._add(
            alerts.Alert,
            Kind.ALERT,
            site_id=site_id,
            page_id=page_id,
            profile_id=self.profile_id,
            environment=self.mark,
            kind=alerts.AlertKind.FAILURE,
            severity=alerts.AlertSeverity.ERROR,
            subject=subject,
            title=f"{self.mark} title",
            details={self.mark: self.mark},
            state=alerts.AlertState.OPEN,
            opened_at=START,
            last_seen_at=START,
            occurrences=1,
        )

    def _channel(self, site_id: UUID | None) -> None:
        """With a route, and deliveries that failed."""
        channel_id = self._add(
            notifications.Channel,
            Kind.CHANNEL,
            kind=notifications.ChannelKind.WEBHOOK,
            name=f"{self.mark} channel",
            sealed=KEYRING.seal(b'{"targets": ["https://x.example/"], "secret": "whsec_MDAwMA=="}', CHANNELS),
            shown=f"https://{self.mark}.example/hook",
            everything=False,
            created_at=START,
            created_by=f"{self.mark} person",
            failures=0,
        )
        route = {"kinds": None, "severity": alerts.AlertSeverity.WARNING, "tags": [self.mark], "environment": self.mark}
        self._add(notifications.Route, Kind.ROUTE, channel_id=channel_id, site_id=site_id, created_at=START, **route)
        for _ in range(self.sizes.deliveries):
            delivery_id = self._add(
                notifications.Delivery,
                Kind.DELIVERY,
                channel_id=channel_id,
                alert_id=self.ids.get(Kind.ALERT, [None])[0],
                moment=notifications.Moment.OPENED,
                state=notifications.DeliveryState.FAILED,
                message={"data": {}},
                reached=[],
                refused={},
                created_at=START,
                ended_at=START,
                tries=1,
                before=0,
            )
            tried = {"number": 1, "at": START, "duration_ms": 1.0, "status": 500}
            said = {"error": f"{self.mark} error", "answer": f"{self.mark} answer"}
            self._add(Attempt, None, delivery_id=delivery_id, **tried, **said)

    def _budget(self, site_id: UUID, name: str) -> None:
        self._add(
            budgets.Budget,
            Kind.BUDGET,
            site_id=site_id,
            profile_id=self.profile_id,
            name=name,
            path=f"/{self.mark}",
            url_pattern=None,
            environment="production",
            subject_kind=budgets.SubjectKind.FINDING,
            subject=f"{self.mark}-rule",
            limit_kind=budgets.LimitKind.ABSOLUTE,
            limit_value=5.0,
            tolerance=0.0,
            aggregation=budgets.Aggregation.MEDIAN,
            severity=budgets.BudgetSeverity.ERROR,
            consecutive=1,
            paused_at=None,
            source=budgets.BudgetSource.MANUAL,
            group_id=None,
            position=0,
            except_paths=[],
            created_at=START,
            created_by=f"{self.mark} person",
        )

    def _breach(self, site_id: UUID, page_id: UUID, budget_id: UUID) -> None:
        """By the page's last audit."""
        self._add(
            budgets.Breach,
            Kind.BREACH,
            site_id=site_id,
            budget_id=budget_id,
            page_id=page_id,
            profile_id=self.profile_id,
            environment="production",
            audit_id=self.ids[Kind.AUDIT][-1],
            snapshot_id=None,
            severity=budgets.BudgetSeverity.ERROR,
            value=1.0,
            limit_value=0.0,
            baseline=None,
            over=1.0,
            conditions_id=None,
            since=START,
            began_at=START,
            ended_at=None,
        )
        self._add(
            budgets.Standing,
            site_id=site_id,
            budget_id=budget_id,
            page_id=page_id,
            profile_id=self.profile_id,
            environment="production",
            consecutive=0,
            breach_id=None,
            since=None,
            baseline=None,
            conditions_id=None,
            last_value=0.0,
            last_audit_id=self.ids[Kind.AUDIT][-1],
            last_at=START,
            days=[["2026-01-01", 9, 0.0], ["2026-01-09", 9, 0.0]],
        )

    def _audit(self, site_id: UUID, page_id: UUID, path: str, at: datetime, snapshot_id: UUID | None) -> None:
        audit_id = self._add(
            audits.Audit,
            Kind.AUDIT,
            site_id=site_id,
            page_id=page_id,
            profile_id=self.profile_id,
            profile_version=1,
            environment="production",
            engine=EngineName.PROBE,
            engine_version="1.0",
            form_factor=FormFactor.DESKTOP,
            runner_id=self.runner_id,
            runner_pool="default",
            state=audits.AuditState.FINISHED,
            snapshot_id=snapshot_id,
            requested_by=f"{self.mark} person",
            requested_url=f"https://{self.mark}.example{path}",
            final_url=f"https://{self.mark}.example{path}?final",
            requested_at=at,
            started_at=at,
            finished_at=at + timedelta(minutes=1),
            phase=Phase.ENDED,
            runs=self.sizes.runs,
            representative_run=0,
            scores=[{"category": self.mark, "title": self.mark, "score": 0.5}],
            user_timings=[{"name": self.mark, "start_ms": 1.0, "duration_ms": None}],
            performance_score=0.5,
            ttfb_ms=float(at.hour),
            request_count=2,
        )
        ended = {"state": audits.AuditState.FINISHED, "phase": Phase.ENDED, "run": None}
        self.events.append(Event(EventKind.AUDIT_FINISHED, self.workspace_id, audit_id, site_id, ended))
        self._add(
            StoredJob,
            Kind.JOB,
            kind=audits.KINDS[EngineName.PROBE],
            subject=audit_id,
            priority=0,
            at=at,
            ready_at=at,
            deliveries=3,
            dead_at=at,
            error=f"{self.mark} error",
        )
        for metric in tuple(MetricName)[: self.sizes.verdicts if snapshot_id else 0]:
            self._verdict(metric, site_id=site_id, snapshot_id=snapshot_id, page_id=page_id, audit_id=audit_id)
        below = {"site_id": site_id, "audit_id": audit_id}
        for run in range(self.sizes.runs):
            self._run(below, run, at)
        for position in range(self.sizes.findings):
            self._add(
                audits.Finding,
                Kind.FINDING,
                **below,
                position=position,
                rule=f"{self.mark}-rule",
                title=f"{self.mark} title",
                description=f"{self.mark} description",
                severity=Severity.LOW,
                category=self.mark,
                evidence=[{"subject": self.mark, "detail": self.mark}],
            )

    def _verdict(self, metric: MetricName, **where: UUID | None) -> None:
        if any(
            row["metric"] == metric.value and row["page_id"] == where["page_id"] for row in self.rows.get(verdicts.Verdict, [])
        ):
            return  # a page has one of each in a snapshot
        self._add(
            verdicts.Verdict,
            Kind.VERDICT,
            **where,
            before_audit_id=self._earlier() if self.sizes.earlier else None,
            profile_id=self.profile_id,
            metric=metric.value,
            judgement=verdicts.Judgement.REGRESSED,
            reason=verdicts.Reason.CONFIRMED,
            before=1.0,
            after=2.0,
            snapshots_before=4,
            snapshots_after=3,
            judged_at=START,
        )

    def _earlier(self) -> UUID:
        """An audit the day before the last one, which found nothing."""
        last = self.rows[audits.Audit][-1]
        id = new_id()
        gone = {"id": id, "snapshot_id": None, "finished_at": last["finished_at"] - timedelta(days=1)}
        self.rows[audits.Audit].append(last | gone)
        return id

    def _newest(self, site_id: UUID, page_id: UUID, at: datetime) -> None:
        """What the page's last audit is told by: slower than those before it, by a tenth for each page there is."""
        ttfb_ms, number = float(at.hour), len(self.ids[Kind.PAGE])
        self._add(
            audits.LatestAudit,
            site_id=site_id,
            page_id=page_id,
            profile_id=self.profile_id,
            environment="production",
            audit_id=self.ids[Kind.AUDIT][-1],
            finished_at=at + timedelta(minutes=1),
            engine=EngineName.PROBE,
            form_factor=FormFactor.DESKTOP,
            compared=2,
            performance_score=0.5,
            ttfb_ms=ttfb_ms,
            ttfb_ms_baseline=ttfb_ms - number,
            ttfb_ms_change=number / 10,
        )

    def _run(self, below: dict[str, UUID], run: int, at: datetime) -> None:
        run_id = self._add(
            audits.Run,
            **below,
            index=run,
            measured_at=at,
            warnings=[self.mark],
            performance_score=0.5,
            ttfb_ms=float(run),
            request_count=2,
        )
        for position in range(self.sizes.requests):
            self._add(
                Request,
                run_id=run_id,
                position=position,
                site_id=below["site_id"],
                url=f"https://{self.mark}.example/{position}",
                resource_type=ResourceType.DOCUMENT,
                method="GET",
                status=200,
                third_party=False,
            )
        for position, kind in enumerate(files.FileKind):
            self._add(
                files.File,
                Kind.FILE,
                **below,
                run=run,
                kind=kind,
                position=position,
                at_ms=None,
                storage_key=f"{self.mark}/{new_id().hex}",
                bytes=1,
                content_type="application/json",
                content_encoding=None,
                created_at=at,
            )


def _table(name: str) -> type[Base]:
    """A table that its room keeps to itself."""
    return next(mapper.class_ for mapper in Base.registry.mappers if mapper.local_table is Base.metadata.tables[name])


SiteProfile = _table("site_profiles")
Request = _table("requests")
Attempt = _table("delivery_attempts")
