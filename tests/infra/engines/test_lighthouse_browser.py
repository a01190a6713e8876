"""Real Lighthouse in real Chromium, against sites on loopback addresses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest

from domain.measuring import (
    Access,
    EngineFailure,
    FailureKind,
    FormFactor,
    ImageKind,
    Measured,
    MetricName,
    Order,
    Phase,
    Reached,
    ResourceType,
    RunResult,
)
from infra.engines.guard import Address, Guard
from infra.engines.lighthouse import Installation, LighthouseEngine, find_lighthouse

from .local_site import Page, Site, site

pytestmark = pytest.mark.browser

_MODULES = Path(__file__).parents[2] / "browser" / "node_modules"
_PAGE = b"""<!doctype html><html lang=en><head><title>A plain page</title>
<meta name=viewport content="width=device-width"><link rel=stylesheet href=/style.css></head>
<body><main><h1>A plain page for everyone</h1><p>With some text.</p></main>
<script>performance.mark('ready')</script></body></html>"""


@pytest.fixture(scope="module")
def installed() -> Installation:
    folder = _MODULES / "lighthouse"
    try:
        return find_lighthouse(folder if folder.exists() else None)
    except EngineFailure as failure:
        pytest.skip(failure.message)


@pytest.fixture
def plain() -> Iterator[Site]:
    with site() as running:
        running.pages["/"] = Page(_PAGE)
        running.pages["/style.css"] = Page(b"h1{color:navy}", "text/css")
        yield running


def engine(installed: Installation, folder: Path, guard: Guard | None = None, deadline: float = 100) -> LighthouseEngine:
    return LighthouseEngine(
        guard or Guard(allow_private=True),
        lock_file=folder / "lighthouse.lock",
        lighthouse=installed.lighthouse,
        chrome=installed.chrome,
        node=installed.node,
        deadline=deadline,
    )


async def steps(running: LighthouseEngine, order: Order) -> list[Reached | Measured]:
    return [step async for step in running.measure(order)]


async def result(running: LighthouseEngine, order: Order) -> RunResult:
    last = (await steps(running, order))[-1]
    assert isinstance(last, Measured)
    return last.result


async def test_a_plain_page_is_measured_on_a_phone(installed: Installation, plain: Site, tmp_path: Path) -> None:
    told = await steps(engine(installed, tmp_path), Order(f"{plain.origin}/", FormFactor.MOBILE, runs=1))
    assert told[:-1] == [Reached(phase, 0) for phase in (Phase.STARTING, Phase.LOADING, Phase.RESOURCES, Phase.ANALYSING)]
    assert isinstance(told[-1], Measured)
    seen = told[-1].result
    assert seen.final_url == f"{plain.origin}/"
    assert seen.engine_version == installed.version
    assert seen.metrics[MetricName.PERFORMANCE_SCORE] > 0.5
    assert 0 < seen.metrics[MetricName.FCP] <= seen.metrics[MetricName.LCP]
    assert seen.metrics[MetricName.REQUEST_COUNT] == 2
    assert seen.metrics[MetricName.TTFB] >= 150  # the phone's network answers no sooner than one round trip
    assert [(r.url, r.resource_type, r.status) for r in seen.requests[:2]] == [
        (f"{plain.origin}/", ResourceType.DOCUMENT, 200),
        (f"{plain.origin}/style.css", ResourceType.STYLESHEET, 200),
    ]
    assert [timing.name for timing in seen.user_timings] == ["ready"]
    assert {"performance", "accessibility", "best-practices", "seo"} <= {score.category for score in seen.scores}
    assert {image.kind for image in seen.images} == {ImageKind.SCREENSHOT, ImageKind.FILMSTRIP}
    assert "meta-description" in {finding.rule for finding in seen.findings}
    assert plain.asked_for("/")[0].headers["user-agent"].count("Mobile") == 1


async def test_the_desktop_preset_is_lighthouses_own(installed: Installation, plain: Site, tmp_path: Path) -> None:
    seen = await result(engine(installed, tmp_path), Order(f"{plain.origin}/", FormFactor.DESKTOP, runs=1))
    assert seen.report is not None
    settings = seen.report["configSettings"]
    assert (settings["formFactor"], settings["screenEmulation"]["width"]) == ("desktop", 1350)
    assert settings["throttling"] == {
        "rttMs": 40,
        "throughputKbps": 10240,
        "requestLatencyMs": 150,
        "downloadThroughputKbps": 9216,
        "uploadThroughputKbps": 9216,
        "cpuSlowdownMultiplier": 1,
    }
    assert "Mobile" not in plain.asked_for("/")[0].headers["user-agent"]


async def test_a_site_that_is_down_is_a_page_failure(installed: Installation, tmp_path: Path) -> None:
    with site() as gone:
        pass
    with pytest.raises(EngineFailure) as failed:
        await steps(engine(installed, tmp_path), Order(f"{gone.origin}/", FormFactor.MOBILE, runs=1))
    assert (failed.value.kind, failed.value.code) == (FailureKind.PAGE, "CONNECTION_REFUSED")


@dataclass
class Visit:
    own: Site
    third: Site
    private: Site
    seen: RunResult


class OneAddressIsPrivate(Guard):
    def permits(self, address: Address) -> bool:
        return str(address) in ("127.0.0.1", "127.0.0.2")


@pytest.fixture(scope="module")
def visit(installed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """One load, with every kind of secret, of a page that embeds another site and reaches for a private one."""
    with site("127.0.0.1") as own, site("127.0.0.2") as third, site("127.0.0.3") as private:
        reach = f"{private.host}:{private.port}"
        own.pages["/"] = Page(
            f"""<!doctype html><html lang=en><head><title>Embeds</title></head><body><h1>A page that embeds</h1>
            <img src="/own.png" alt=own><img src="{third.origin}/third.png" alt=third><img src="/moved.png" alt=moved>
            <iframe src="{third.origin}/frame"></iframe>
            <img src="http://{reach}/image" alt=no><iframe src="http://{reach}/frame"></iframe>
            <link rel=preconnect href="http://{reach}"><link rel=stylesheet href="http://{reach}/style">
            <script src="http://localhost:{private.port}/script"></script>
            <script>
            for (const url of ['http://{reach}/fetch', 'http://[::1]:{private.port}/', 'http://[::ffff:7f00:3]:{private.port}/'])
              fetch(url, {{mode: 'no-cors'}}).catch(() => {{}});
            navigator.sendBeacon('http://{reach}/beacon', 'x');
            try {{ new WebSocket('ws://{reach}/socket'); }} catch {{}}
            try {{ new WebTransport('https://{reach}/transport'); }} catch {{}}
            new EventSource('http://{reach}/events');
            const turn = {{urls: 'turn:{reach}?transport=tcp', username: 'a', credential: 'b'}};
            const peer = new RTCPeerConnection({{iceServers: [turn]}});
            peer.createDataChannel('x'); peer.createOffer().then(offer => peer.setLocalDescription(offer));
            fetch('/hop').catch(() => {{}});
            </script></body></html>""".encode()
        )
        own.pages["/moved.png"] = Page(status=302, headers={"Location": f"{third.origin}/moved-here.png"})
        own.pages["/hop"] = Page(status=302, headers={"Location": f"http://{reach}/hop"})
        third.pages["/frame"] = Page(b"<!doctype html><title>frame</title><p>a frame")
        access = Access({"X-Preview": "secret-header"}, {"preview": "secret-cookie"}, "ann", "secret-password")
        order = Order(f"{own.origin}/", FormFactor.MOBILE, runs=1, access=access)
        folder = tmp_path_factory.mktemp("lighthouse")
        yield Visit(
            own, third, private, asyncio.run(result(engine(installed, folder, OneAddressIsPrivate(allow_private=False)), order))
        )


def test_secrets_reach_the_own_origin(visit: Visit) -> None:
    for path in ("/", "/own.png", "/moved.png"):
        headers = visit.own.asked_for(path)[0].headers
        assert headers["x-preview"] == "secret-header"
        assert headers["authorization"] == "Basic YW5uOnNlY3JldC1wYXNzd29yZA=="
        assert headers["cookie"] == "preview=secret-cookie"


def test_secrets_never_reach_another_origin(visit: Visit) -> None:
    assert {asked.path for asked in visit.third.asked} >= {"/third.png", "/moved-here.png", "/frame"}
    for asked in visit.third.asked:
        assert not {"x-preview", "authorization", "cookie"} & asked.headers.keys()


def test_secrets_are_not_in_the_result(visit: Visit) -> None:
    assert "secret-" not in repr(visit.seen) + repr(visit.seen.report)


def test_a_hostile_page_reaches_nothing_private(visit: Visit) -> None:
    assert [asked.path for asked in visit.own.asked if asked.path == "/hop"] == ["/hop"]  # its script did run
    assert visit.private.asked == []


def processes_with(word: str) -> dict[int, int]:
    """The process groups by process id of every process whose command names the word."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and word in (entry / "cmdline").read_text(errors="replace"):
                found[int(entry.name)] = os.getpgid(int(entry.name))
        except OSError:
            continue
    return found


def members(group: int) -> list[str]:
    """The living processes of a group (field 5 of /proc/PID/stat; Z is a process that has ended)."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(of) == group and state != "Z":
            found.append(entry.name)
    return found


@pytest.mark.parametrize("stopped_by", ["deadline", "caller"])
async def test_a_run_that_is_stopped_leaves_no_process_and_no_file(
    installed: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_by: str
) -> None:
    # Not under `tmp_path`: Chromium keeps a socket in its folder, whose path may have 107 characters.
    temporary = Path(mkdtemp(prefix="stopped-"))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    groups: set[int] = set()
    with site() as slow:
        slow.pages["/"] = Page(hangs=True)
        running = engine(installed, tmp_path, deadline=20 if stopped_by == "deadline" else 100)
        order = Order(f"{slow.origin}/", FormFactor.MOBILE, runs=1)
        with pytest.raises(EngineFailure) if stopped_by == "deadline" else nullcontext() as failed:
            async with aclosing(running.measure(order)) as told:
                async for step in told:
                    if step == Reached(Phase.LOADING, 0):
                        groups |= set(processes_with(str(temporary)).values())
                        if stopped_by == "caller":
                            break
    if failed is not None:
        assert (failed.value.kind, failed.value.code) == (FailureKind.ENGINE, "DEADLINE_EXCEEDED")
    assert groups
    assert [members(group) for group in groups] == [[]] * len(groups)
    assert processes_with(str(temporary)) == {}
    temporary.rmdir()  # which only an empty folder allows
