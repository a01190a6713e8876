"""PAGESPEED: Google's PageSpeed Insights API, v5."""

from .engine import PageSpeedEngine

__all__ = ["PageSpeedEngine"]
