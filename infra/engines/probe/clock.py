"""The clock of a run: it stands still while the probe itself, or whoever follows it, is at work."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds of the page's own time since the start of the run."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._since: float | None = None

    def start(self) -> None:
        self._since = time.perf_counter()

    def stop(self) -> None:
        self._passed, self._since = self.now() / 1000, None

    def now(self) -> float:
        running = 0.0 if self._since is None else time.perf_counter() - self._since
        return (self._passed + running) * 1000
