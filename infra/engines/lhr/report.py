"""The Lighthouse result as it is kept: what is stored elsewhere, or concerns only this machine, is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import mapping, rows

_IMAGES = ("final-screenshot", "screenshot-thumbnails")


def read_report(lhr: Mapping[str, Any]) -> dict[str, Any]:
    """No pictures, no texts of other languages, no timing of Lighthouse's own steps, no stack of our files' names."""
    report = {key: value for key, value in lhr.items() if key not in ("i18n", "fullPageScreenshot")}
    if isinstance(lhr.get("timing"), Mapping):
        report["timing"] = _without(lhr["timing"], "entries")
    audits = {name: _audit(name, audit) for name, audit in mapping(lhr.get("audits")).items()}
    audits.pop("full-page-screenshot", None)
    return {**report, "audits": audits}


def _audit(name: str, audit: object) -> dict[str, Any]:
    kept = _without(mapping(audit), "errorStack")
    if name in _IMAGES and isinstance(kept.get("details"), Mapping):
        details = _without(kept["details"], "data")
        if "items" in details:
            details["items"] = [_without(row, "data") for row in rows(details["items"])]
        kept["details"] = details
    return kept


def _without(part: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != name}
