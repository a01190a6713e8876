"""The probe engine: a page measured over HTTP, without a browser."""

from .engine import VERSION, ProbeEngine
from .limits import Limits

__all__ = ["VERSION", "Limits", "ProbeEngine"]
