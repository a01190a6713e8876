"""What an engine is asked and what it answers: the words that sites, audits and engines share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class EngineName(StrEnum):
    """How a page is measured."""

    PROBE = "PROBE"
    LIGHTHOUSE = "LIGHTHOUSE"
    PAGESPEED = "PAGESPEED"


class FormFactor(StrEnum):
    """The kind of device that is measured, or pretended to be."""

    MOBILE = "MOBILE"
    DESKTOP = "DESKTOP"


class ThrottlingMethod(StrEnum):
    """SIMULATE computes a slow network from a fast load, DEVTOOLS slows the browser down, PROVIDED changes nothing."""

    SIMULATE = "SIMULATE"
    DEVTOOLS = "DEVTOOLS"
    PROVIDED = "PROVIDED"


class MetricName(StrEnum):
    """The catalogue's metrics. The value is the column of the run and of the audit that holds it."""

    PERFORMANCE_SCORE = "performance_score"
    LCP = "lcp_ms"
    FCP = "fcp_ms"
    TBT = "tbt_ms"
    CLS = "cls"
    SPEED_INDEX = "speed_index_ms"
    TTI = "tti_ms"
    MAX_POTENTIAL_FID = "max_potential_fid_ms"
    TTFB = "ttfb_ms"
    REDIRECT = "redirect_ms"
    DNS = "dns_ms"
    CONNECT = "connect_ms"
    TLS = "tls_ms"
    DOWNLOAD = "download_ms"
    PAGE_LOAD = "page_load_ms"
    REQUEST_COUNT = "request_count"
    REDIRECT_COUNT = "redirect_count"
    TRANSFER_BYTES = "transfer_bytes"
    DECODED_BYTES = "decoded_bytes"
    DOCUMENT_BYTES = "document_bytes"
    SCRIPT_BYTES = "script_bytes"
    STYLESHEET_BYTES = "stylesheet_bytes"
    IMAGE_BYTES = "image_bytes"
    FONT_BYTES = "font_bytes"
    MEDIA_BYTES = "media_bytes"
    OTHER_BYTES = "other_bytes"
    THIRD_PARTY_BYTES = "third_party_bytes"
    THIRD_PARTY_COUNT = "third_party_count"
    CERTIFICATE_DAYS = "certificate_days"
    DOM_SIZE = "dom_size"


class Phase(StrEnum):
    """How far an audit has come."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    LOADING = "LOADING"
    RESOURCES = "RESOURCES"
    ANALYSING = "ANALYSING"
    WAITING = "WAITING"
    RECORDING = "RECORDING"
    ENDED = "ENDED"


class FailureKind(StrEnum):
    """Who has to act: the PAGE's owner, whoever holds the CONFIGURATION (key, installation), or nobody: the ENGINE failed."""

    PAGE = "PAGE"
    CONFIGURATION = "CONFIGURATION"
    ENGINE = "ENGINE"


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "INFO"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class ResourceType(StrEnum):
    """What a request fetched."""

    DOCUMENT = "DOCUMENT"
    SCRIPT = "SCRIPT"
    STYLESHEET = "STYLESHEET"
    IMAGE = "IMAGE"
    FONT = "FONT"
    MEDIA = "MEDIA"
    OTHER = "OTHER"


class ImageKind(StrEnum):
    """SCREENSHOT is the page as it ended; FILMSTRIP is one frame of its loading."""

    SCREENSHOT = "SCREENSHOT"
    FILMSTRIP = "FILMSTRIP"


@dataclass(frozen=True, slots=True)
class Throttling:
    """A slower network and processor. Times in ms, throughput in kbit/s, the processor as a factor (4 = four times slower)."""

    method: ThrottlingMethod
    rtt_ms: float = 0
    throughput_kbps: float = 0
    cpu_slowdown: float = 1


@dataclass(frozen=True, slots=True)
class Access:
    """What is sent to reach a page: only ever to the site's own origin, never shown, never logged."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """One audit, as an engine is asked for it. `throttling` None means the form factor's preset."""

    url: str
    form_factor: FormFactor
    runs: int
    throttling: Throttling | None = None
    access: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One request of a page. Times in ms since the start of the run; sizes in bytes; None = not known."""

    url: str
    resource_type: ResourceType
    method: str = "GET"
    status: int | None = None
    protocol: str | None = None
    mime_type: str | None = None
    start_ms: float | None = None
    end_ms: float | None = None
    transfer_bytes: int | None = None
    decoded_bytes: int | None = None
    third_party: bool = False
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on: the `subject` (an address, a header's name, an element) and what was seen there."""

    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FindingSeen:
    """Something that could be better. `saving_ms` and `saving_bytes` are estimates, None where none can be computed."""

    rule: str
    title: str
    severity: Severity
    category: str
    description: str = ""
    evidence: tuple[Evidence, ...] = ()
    saving_ms: float | None = None
    saving_bytes: int | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A category's score, 0 to 1; None when the engine could not compute it."""

    category: str
    title: str
    score: float | None


@dataclass(frozen=True, slots=True)
class UserTiming:
    """A performance.mark or performance.measure of the page; `duration_ms` None for a mark."""

    name: str
    start_ms: float
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """One picture, `at_ms` after the start of the load (filmstrip frames)."""

    kind: ImageKind
    content_type: str
    data: bytes = field(repr=False)
    at_ms: float | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """One measurement. A metric that was not measured is absent, never zero."""

    metrics: Mapping[MetricName, float]
    final_url: str
    engine_version: str
    requests: tuple[RequestSeen, ...] = ()
    findings: tuple[FindingSeen, ...] = ()
    scores: tuple[Score, ...] = ()
    user_timings: tuple[UserTiming, ...] = ()
    images: tuple[ImageSeen, ...] = ()
    warnings: tuple[str, ...] = ()
    report: Mapping[str, Any] | None = field(default=None, repr=False)
    benchmark_index: float | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """The engine entered a phase of run number `run` (from 0)."""

    phase: Phase
    run: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Run number `run` (from 0) is done."""

    run: int
    result: RunResult


class EngineFailure(Exception):  # noqa: N818 - the audit failed, not the program
    """The audit cannot be completed. `message` is a sentence for a user and holds no secret; `code` is stable."""

    def __init__(self, kind: FailureKind, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.retryable = retryable


class Engine(Protocol):
    """A way of measuring. `measure` yields its steps in order, each run's `Measured` once, or raises EngineFailure.

    Closing the generator (or cancelling the task that drives it) stops everything the engine started,
    child processes included, before it returns.
    """

    name: EngineName

    def measure(self, order: Order) -> AsyncGenerator[Reached | Measured, None]: ...
