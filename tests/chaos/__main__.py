"""`python -m tests.chaos`: the long trial. Exit status 1 when anything was lost, doubled or otherwise wrong."""

from __future__ import annotations

import argparse
import asyncio
import random
import signal

from .plan import Plan
from .trial import trial

REQUESTING = 0.6
"""This part of the time audits are asked for; then what was begun is ended, and looked at."""


def main() -> int:
    usual = Plan(seed=0)
    parser = argparse.ArgumentParser(
        prog="make chaos", description="Break everything while audits run, and count what is left."
    )
    parser.add_argument("--seed", type=int, help="what decides in which order things are broken (else a random one)")
    parser.add_argument("--audits", type=int, default=usual.audits, help="how many are asked for")
    parser.add_argument("--workers", type=int, default=usual.workers)
    parser.add_argument("--serves", type=int, default=usual.serves)
    parser.add_argument("--clients", type=int, default=usual.clients)
    parser.add_argument("--minutes", type=float, default=12.0, help="about how long it may take")
    parser.add_argument("--keep", action="store_true", help="keep the logs, whatever comes of it")
    given = parser.parse_args()
    plan = Plan(
        seed=given.seed if given.seed is not None else random.randrange(1_000_000),
        audits=given.audits,
        workers=given.workers,
        serves=given.serves,
        clients=given.clients,
        requesting=given.minutes * 60 * REQUESTING,
        patience=given.minutes * 60 * (1 - REQUESTING),
        keep=given.keep,
    )
    return 0 if asyncio.run(_until_told_to_stop(plan)) else 1


async def _until_told_to_stop(plan: Plan) -> bool:
    """SIGTERM ends it as Ctrl-C does: everything that was started is stopped."""
    held = asyncio.ensure_future(trial(plan))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, held.cancel)
    return await held


if __name__ == "__main__":
    raise SystemExit(main())
