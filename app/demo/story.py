"""What happens in the demo: a baseline, a deploy that makes the site slow, and what is said of that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app.demo import operations
from app.demo.site import PAGES, Site
from app.errors import Unusable
from app.remote import Remote
from app.report import words

BASELINE = 4
"""So many snapshots before are compared with; what is compared with fewer is still a baseline to be."""

MOST_SNAPSHOTS = 12
SLOWED_SECONDS = 0.2
VERSION = "2.0"
LOOK_SECONDS = 0.25
LOUD = "TTFB"

Tell = Callable[[str], None]
Node = Mapping[str, Any]


class Ending(NamedTuple):
    """What is said of the slow snapshot in the end, and where that can be looked at."""

    verdicts: Sequence[Node]
    report: str
    snapshots: int

    @property
    def is_found(self) -> bool:
        """Whether the slowness was found: each page that was slowed, and none that was not."""
        told = {each["page"]["path"] for each in self.verdicts if each["judgement"] == "REGRESSED"}
        return told == SLOWED


SLOWED = frozenset({"/", "/products"})


async def play(remote: Remote, site: Site, tell: Tell) -> Ending:
    """Raises Unusable where the site cannot be measured."""
    workspace = (await remote.ask(operations.WORKSPACE))["workspace"]["id"]
    made = await operations.make(remote, operations.ADD_SITE, workspace=workspace, origin=site.origin)
    site_id = made["site"]["id"]
    for path, name in PAGES.items():
        await operations.make(remote, operations.ADD_PAGE, site=site_id, path=path, name=name)
    tell(f"A small site of {len(PAGES)} pages answers at {site.origin}; a baseline of it is measured")
    number = await _baseline(remote, site_id, tell)

    site.slowed_seconds = SLOWED_SECONDS
    tell(f"Version {VERSION} goes live: {' and '.join(sorted(SLOWED))} take {SLOWED_SECONDS * 1000:.0f} ms longer from now on")
    made = await operations.make(remote, operations.DEPLOY, site=site_id, version=VERSION)
    found = await _judged(remote, made["deploy"]["snapshot"]["id"], number + 1, tell)
    changed = [each for each in found["verdicts"]["nodes"] if each["reason"] == "CONFIRMED"]
    if changed:
        later = max(each["snapshotsAfter"] for each in changed) - 1
        tell(f"{words.count(len(changed), 'change')} confirmed, by {words.count(later, 'snapshot')} taken later")
    reports = {audit["page"]["path"]: audit["reportUrl"] for audit in found["audits"]["nodes"]}
    return Ending(found["verdicts"]["nodes"], reports["/"], number + 1)


async def _baseline(remote: Remote, site_id: str, tell: Tell) -> int:
    """Measure until every page is compared with enough, and nothing of it has changed. How many snapshots that took."""
    for number in range(1, MOST_SNAPSHOTS + 1):
        made = await operations.make(remote, operations.MEASURE, site=site_id, name=f"baseline {number}")
        verdicts = (await _judged(remote, made["snapshot"]["id"], number, tell))["verdicts"]["nodes"]
        loud = [each for each in verdicts if each["metric"]["name"] == LOUD]
        quiet = all(each["judgement"] == "NO_EVIDENCE" for each in verdicts)
        if quiet and len(loud) == len(PAGES) and all(each["snapshotsBefore"] >= BASELINE for each in loud):
            tell(f"The baseline stands: the last snapshot is like the {BASELINE} before it, as it should be")
            return number
    raise Unusable(f"No baseline stands after {MOST_SNAPSHOTS} snapshots: this machine is too restless just now. Try again.")


async def _judged(remote: Remote, snapshot: str, number: int, tell: Tell) -> Node:
    """The snapshot's audits and verdicts, as soon as these are final."""
    shown = suspected = False
    while True:
        standing = (await remote.ask(operations.STANDING, snapshot=snapshot))["snapshot"]
        if standing["finishedAt"] and not shown:
            tell(f"Snapshot {number}: {_times(await _measured(remote, snapshot))}")
            shown = True
        suspicions = sum(each["reason"] == "SUSPECTED" for each in standing["verdicts"]["nodes"])
        if suspicions and not suspected and not standing["judgedAt"]:
            tell(f"{words.count(suspicions, 'change')} suspected: measured again before anybody is told")
            suspected = True
        if standing["judgedAt"]:
            return await _measured(remote, snapshot)
        await asyncio.sleep(LOOK_SECONDS)


async def _measured(remote: Remote, snapshot: str) -> Node:
    """Raises Unusable where a page was not measured."""
    found: Node = (await remote.ask(operations.MEASURED, snapshot=snapshot))["snapshot"]
    for audit in found["audits"]["nodes"]:
        if audit["state"] != "FINISHED":
            why = audit["failure"]["message"] if audit["failure"] else "It was cancelled."
            raise Unusable(f"{audit['page']['path']} could not be measured: {why}")
    return found


def _times(found: Node) -> str:
    audits = sorted(found["audits"]["nodes"], key=lambda audit: list(PAGES).index(audit["page"]["path"]))
    return ", ".join(f"{audit['page']['path']} {audit['metrics']['ttfbMs']:.0f} ms" for audit in audits) + " to first byte"
