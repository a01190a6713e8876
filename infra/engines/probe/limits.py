"""The bounds of one run, so that no page can keep the probe busy or fill its memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes. `resources` counts the sub-resources that are fetched."""

    redirects: int = 10
    connect_seconds: float = 10.0
    silence_seconds: float = 15.0
    document_seconds: float = 30.0
    document_bytes: int = 10_000_000
    decoded_bytes: int = 20_000_000
    resources: int = 60
    resource_bytes: int = 5_000_000
    resources_bytes: int = 20_000_000
    resources_seconds: float = 20.0
    parallel: int = 6
