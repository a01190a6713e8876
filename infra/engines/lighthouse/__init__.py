"""LIGHTHOUSE: the real Lighthouse, over Node.js and Chromium as child processes."""

from .engine import LighthouseEngine
from .installation import Installation, find_lighthouse

__all__ = ["Installation", "LighthouseEngine", "find_lighthouse"]
