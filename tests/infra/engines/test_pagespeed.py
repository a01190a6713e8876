"""PageSpeed Insights, against a local server that answers as Google documents."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from domain.measuring import (
    Access,
    EngineFailure,
    FailureKind,
    FormFactor,
    Measured,
    MetricName,
    Order,
    Phase,
    Reached,
    Throttling,
    ThrottlingMethod,
)
from infra.engines.pagespeed import PageSpeedEngine

from .psi_server import (
    KEY,
    Answer,
    PsiServer,
    error,
    internal_error,
    key_invalid,
    lighthouse_error,
    page_failed,
    psi_server,
    quota,
    success,
)

ORDER = Order("https://shop.example/?a=1&b=ü", FormFactor.MOBILE, runs=1)


@pytest.fixture
def psi() -> Iterator[PsiServer]:
    with psi_server() as running:
        yield running


class World:
    """A clock that only sleeping moves, and dice that always show the most."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def engine(psi: PsiServer, world: World, key: str | None = KEY, timeout: float = 5, **budget: int) -> PageSpeedEngine:
    return PageSpeedEngine(
        key,
        base_url=psi.base_url,
        timeout=timeout,
        clock=world.clock,
        sleep=world.sleep,
        dice=lambda: 1.0,
        **budget,
    )


async def steps(running: PageSpeedEngine, order: Order = ORDER) -> list[Reached | Measured]:
    return [step async for step in running.measure(order)]


async def failure(running: PageSpeedEngine, order: Order = ORDER) -> EngineFailure:
    with pytest.raises(EngineFailure) as failed:
        await steps(running, order)
    return failed.value


async def test_the_call_is_the_documented_one(psi: PsiServer) -> None:
    await steps(engine(psi, World()))
    (query,) = psi.asked
    assert query.pop("fields")[0].startswith("captchaResult,analysisUTCTimestamp,id,lighthouseResult(")
    assert query == {
        "url": ["https://shop.example/?a=1&b=%C3%BC"],
        "strategy": ["MOBILE"],
        "category": ["ACCESSIBILITY", "BEST_PRACTICES", "PERFORMANCE", "SEO"],
        "key": [KEY],
    }


async def test_the_desktop_is_asked_for_by_name(psi: PsiServer) -> None:
    await steps(engine(psi, World()), Order("https://shop.example/", FormFactor.DESKTOP, runs=1))
    assert psi.asked[0]["strategy"] == ["DESKTOP"]


async def test_the_result_is_read_as_a_lighthouse_result(psi: PsiServer) -> None:
    told = await steps(engine(psi, World()))
    assert told[:2] == [Reached(Phase.STARTING, 0), Reached(Phase.LOADING, 0)]
    assert isinstance(told[2], Measured)
    assert told[2].result.metrics[MetricName.PERFORMANCE_SCORE] == 0.96
    assert told[2].result.final_url == "https://shop.example/"
    assert told[2].result.report is not None
    assert "i18n" not in told[2].result.report


PAGE, OURS, GOOGLE = FailureKind.PAGE, FailureKind.CONFIGURATION, FailureKind.ENGINE


@pytest.mark.parametrize(
    ("answer", "kind", "code", "calls"),
    [
        (page_failed("FAILED_DOCUMENT_REQUEST"), PAGE, "FAILED_DOCUMENT_REQUEST", 2),
        (page_failed("NO_FCP"), PAGE, "NO_FCP", 2),
        (page_failed("net::ERR_TIMED_OUT"), PAGE, "FAILED_DOCUMENT_REQUEST", 2),
        (page_failed("net::ERR_CONNECTION_FAILED"), PAGE, "FAILED_DOCUMENT_REQUEST", 2),
        (page_failed("SOMETHING_NEW"), PAGE, "FAILED_DOCUMENT_REQUEST", 2),
        (key_invalid(), OURS, "KEY_INVALID", 1),
        (error(400, "Invalid value at 'strategy'", "badRequest", status="INVALID_ARGUMENT"), OURS, "BAD_REQUEST", 1),
        (error(403, "PageSpeed Insights API is disabled.", "forbidden", status="PERMISSION_DENIED"), OURS, "KEY_REFUSED", 1),
        (error(401, "Request had invalid credentials.", "unauthorized"), OURS, "KEY_REFUSED", 1),
        (quota(), OURS, "QUOTA_EXCEEDED", 5),
        (
            lighthouse_error("Lighthouse returned error: ERRORED_DOCUMENT_REQUEST. (Status code: 404)"),
            PAGE,
            "ERRORED_DOCUMENT_REQUEST",
            2,
        ),
        (
            lighthouse_error("Lighthouse returned error: FAILED_DOCUMENT_REQUEST. (Details: net::ERR_ACCESS_DENIED)"),
            PAGE,
            "FAILED_DOCUMENT_REQUEST",
            2,
        ),
        (lighthouse_error("Lighthouse returned error: PROTOCOL_TIMEOUT."), GOOGLE, "PROTOCOL_TIMEOUT", 5),
        (lighthouse_error("Lighthouse returned error: Something went wrong."), GOOGLE, "GOOGLE_FAILED", 5),
        (internal_error(), GOOGLE, "GOOGLE_FAILED", 5),
        (Answer(503, {"error": {"code": 503, "message": "The service is currently unavailable."}}), GOOGLE, "GOOGLE_FAILED", 5),
        (Answer(502, None, raw=b"<html>Bad gateway</html>"), GOOGLE, "GOOGLE_FAILED", 5),
        (Answer(302, {}), GOOGLE, "ANSWER_UNKNOWN", 1),
        (Answer(200, None, raw=b"<html>"), GOOGLE, "ANSWER_MALFORMED", 5),
        (Answer(200, {"id": "https://shop.example/"}), GOOGLE, "ANSWER_MALFORMED", 5),
        (Answer(200, {**success().body, "captchaResult": "CAPTCHA_BLOCKING"}), GOOGLE, "CAPTCHA_NEEDED", 5),
        (success(runtimeError={"code": "NOT_HTML", "message": "The page provided is not HTML."}), PAGE, "NOT_HTML", 2),
        (success(runtimeError={"code": "CRI_TIMEOUT", "message": "Timeout."}), GOOGLE, "CRI_TIMEOUT", 5),
    ],
)
async def test_every_documented_failure_has_its_kind_and_is_tried_again_only_where_that_helps(
    psi: PsiServer, answer: Answer, kind: FailureKind, code: str, calls: int
) -> None:
    psi.answers = [answer]
    failed = await failure(engine(psi, World()))
    assert (failed.kind, failed.code, len(psi.asked)) == (kind, code, calls)


async def test_a_failure_that_passes_is_not_told(psi: PsiServer) -> None:
    psi.answers = [internal_error(), quota(), success()]
    world = World()
    told = await steps(engine(psi, world))
    assert [step.phase for step in told[:-1] if isinstance(step, Reached)] == [
        Phase.STARTING,
        *(Phase.LOADING, Phase.WAITING) * 2,
        Phase.LOADING,
    ]
    assert isinstance(told[-1], Measured)
    assert world.slept == [2, 4]


async def test_the_waits_between_tries_double_and_have_an_end(psi: PsiServer) -> None:
    psi.answers = [internal_error()]
    world = World()
    await failure(engine(psi, world))
    assert world.slept == [2, 4, 8, 16]


async def test_a_result_given_twice_is_waited_out_and_asked_for_again(psi: PsiServer) -> None:
    first, second = success("2026-11-20T10:00:00.000Z"), success("2026-11-20T10:01:05.000Z")
    psi.answers = [first, first, second]
    world = World()
    told = await steps(engine(psi, world), Order("https://shop.example/", FormFactor.MOBILE, runs=2))
    measured = [step.result.report for step in told if isinstance(step, Measured)]
    assert [report and report["fetchTime"] for report in measured] == [
        "2026-11-20T10:00:00.000Z",
        "2026-11-20T10:01:05.000Z",
    ]
    assert world.slept == [60]
    assert told.count(Reached(Phase.WAITING, 1)) == 1


async def test_a_result_of_an_earlier_audit_is_not_a_new_one(psi: PsiServer) -> None:
    world = World()
    running = engine(psi, world)
    await steps(running)
    failed = await failure(running)
    assert (failed.kind, failed.code, failed.retryable) == (GOOGLE, "RESULT_CACHED", True)
    assert (len(psi.asked), world.slept) == (4, [60, 60])


async def test_a_result_of_another_form_factor_is_not_taken_for_a_repeat(psi: PsiServer) -> None:
    running = engine(psi, World())
    await steps(running)
    await steps(running, Order(ORDER.url, FormFactor.DESKTOP, runs=1))
    assert len(psi.asked) == 2


async def test_an_answer_that_takes_too_long_is_googles_failure(psi: PsiServer) -> None:
    psi.answers = [Answer(200, success().body, after=30)]
    failed = await failure(engine(psi, World(), timeout=0.2))
    assert (failed.kind, failed.code, failed.retryable, len(psi.asked)) == (GOOGLE, "TIMEOUT", True, 2)


async def test_a_server_that_is_not_there_is_googles_failure(psi: PsiServer) -> None:
    with psi_server() as gone:
        pass
    failed = await failure(engine(gone, World()))
    assert (failed.kind, failed.code) == (GOOGLE, "UNREACHABLE")


def test_google_is_given_longer_than_it_gives_itself() -> None:
    assert PageSpeedEngine(KEY)._timeout >= 130


async def test_the_daily_budget_ends_before_google_is_asked(psi: PsiServer) -> None:
    world = World()
    running = engine(psi, world, per_day=2)
    for second in (1, 2):
        psi.answers = [success(f"2026-11-20T10:00:0{second}.000Z")]
        await steps(running)
    failed = await failure(running)
    assert (failed.kind, failed.code, len(psi.asked)) == (OURS, "DAILY_BUDGET_SPENT", 2)
    assert failed.message == ("The budget of 2 PageSpeed Insights calls a day is spent; the next is free in 24.0 hours.")
    world.now += 86_400
    psi.answers = [success("2026-11-21T10:00:00.000Z")]
    assert isinstance((await steps(running))[-1], Measured)


async def test_the_budget_of_a_minute_is_waited_for(psi: PsiServer) -> None:
    world = World()
    running = engine(psi, world, per_minute=2)
    psi.answers = [success(f"2026-11-20T10:00:0{second}.000Z") for second in range(5)]
    told = await steps(running, Order("https://shop.example/", FormFactor.MOBILE, runs=5))
    assert world.slept == [60, 60]
    assert [step.run for step in told if isinstance(step, Reached) and step.phase is Phase.WAITING] == [2, 4]


@pytest.mark.parametrize("key", [None, ""])
async def test_without_a_key_google_is_not_asked(psi: PsiServer, key: str | None) -> None:
    failed = await failure(engine(psi, World(), key=key))
    assert (failed.kind, failed.code, psi.asked) == (OURS, "KEY_MISSING", [])
    assert "Google Cloud console" in failed.message


@pytest.mark.parametrize(
    "order",
    [
        Order(ORDER.url, FormFactor.MOBILE, runs=1, access=Access(headers={"X-A": "b"})),
        Order(ORDER.url, FormFactor.MOBILE, runs=1, access=Access(username="ann", password="secret")),
        Order(ORDER.url, FormFactor.MOBILE, runs=1, throttling=Throttling(ThrottlingMethod.SIMULATE, 40, 10_240)),
    ],
)
async def test_what_google_takes_no_part_in_is_refused_and_not_left_out(psi: PsiServer, order: Order) -> None:
    failed = await failure(engine(psi, World()), order)
    assert (failed.kind, failed.code, psi.asked) == (OURS, "NOT_SUPPORTED", [])


async def test_the_key_is_in_no_error_and_no_log(psi: PsiServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    psi.answers = [error(403, f"Requests with key {KEY} are blocked.\r\nReferer empty.", "forbidden")]
    failed = await failure(engine(psi, World()))
    assert failed.message.endswith("Google said: Requests with key … are blocked. Referer empty.")
    assert len(psi.asked) == 1
    assert "runPagespeed" in caplog.text  # the call is logged, by httpx
    assert KEY not in caplog.text + repr(failed) + repr(failed.__cause__)


async def test_a_key_that_google_does_not_know_is_our_failure(psi: PsiServer) -> None:
    failed = await failure(engine(psi, World(), key="AIzaSyWrong"))
    assert (failed.kind, failed.code) == (OURS, "KEY_INVALID")


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://[::1]/", "http://localhost:8000/", "https://shop.internal/"])
async def test_google_is_never_told_of_an_address_that_is_not_public(url: str) -> None:
    engine = PageSpeedEngine("a-key", base_url="http://127.0.0.1:1")
    with pytest.raises(EngineFailure) as refused:
        await anext(engine.measure(Order(url, FormFactor.MOBILE, runs=1)))
    assert (refused.value.kind, refused.value.code) == (FailureKind.PAGE, "ADDRESS_REFUSED")
