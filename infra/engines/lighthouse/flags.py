"""What Chromium and Lighthouse are told: the browser's switches and the run's settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from domain.measuring import FormFactor, Throttling, ThrottlingMethod

# Nothing may leave the browser but what the page asks for, and nothing may slow it down while it is measured
# (chrome-launcher's own list, and the switches for what does not go through a proxy: QUIC, WebRTC's UDP, DNS).
_CHROME = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--proxy-bypass-list=<-loopback>",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,InterestFeedContentSuggestions,"
    "CertificateTransparencyComponentUpdater,AutofillServerCommunication,PrivacySandboxSettings4,RenderDocument",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-prompt-on-repost",
    "--disable-renderer-backgrounding",
    "--force-fieldtrials=*BackgroundTracing/default/",
    "--password-store=basic",
    "--use-mock-keychain",
)

# Lighthouse's `screenEmulation` for desktop (core/config/constants.js); mobile is its default.
_DESKTOP_SCREEN = {"mobile": False, "width": 1350, "height": 940, "deviceScaleFactor": 1, "disabled": False}
_DESKTOP_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.0.0 Safari/537.36"
)
# `desktopDense4G`; mobile's `mobileSlow4G` is the default.
_DESKTOP_NETWORK = Throttling(ThrottlingMethod.SIMULATE, rtt_ms=40, throughput_kbps=10 * 1024, cpu_slowdown=1)

# How DevTools' request-level throttling is made to resemble that of packets (Lighthouse's docs/throttling.md).
_DEVTOOLS_RTT = 3.75
_DEVTOOLS_THROUGHPUT = 0.9
# Stands for "no limit" where the simulation divides by the throughput.
_UNLIMITED_KBPS = 10_000_000


def chrome_flags(proxy_port: int, profile: Path) -> list[str]:
    """The sandbox stays on but for root, for whom Chromium refuses to start with it."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [*_CHROME, *sandbox, f"--proxy-server=http://127.0.0.1:{proxy_port}", f"--user-data-dir={profile}"]


def lighthouse_settings(form_factor: FormFactor, throttling: Throttling | None) -> dict[str, Any]:
    """Lighthouse's `settings`. The presets are Lighthouse's own, and so the results compare with other people's."""
    settings: dict[str, Any] = {"formFactor": form_factor.lower()}
    if form_factor is FormFactor.DESKTOP:
        settings |= {"screenEmulation": _DESKTOP_SCREEN, "emulatedUserAgent": _DESKTOP_AGENT}
        throttling = throttling or _DESKTOP_NETWORK
    if throttling:
        settings |= {"throttlingMethod": throttling.method.lower(), "throttling": _throttling(throttling)}
    return settings


def _throttling(throttling: Throttling) -> dict[str, float]:
    if throttling.method is ThrottlingMethod.PROVIDED:
        return dict.fromkeys(_KEYS, 0.0) | {"cpuSlowdownMultiplier": 1}
    throughput = throttling.throughput_kbps or _UNLIMITED_KBPS
    adjusted = throughput * _DEVTOOLS_THROUGHPUT
    values = (throttling.rtt_ms, throughput, throttling.rtt_ms * _DEVTOOLS_RTT, adjusted, adjusted)
    return dict(zip(_KEYS, values, strict=True)) | {"cpuSlowdownMultiplier": throttling.cpu_slowdown}


_KEYS = ("rttMs", "throughputKbps", "requestLatencyMs", "downloadThroughputKbps", "uploadThroughputKbps")
