"""`make services`: PostgreSQL, NATS and Valkey for trying and developing, from wheels, until told to stop.

Their data is thrown away in the end. `data/services.env` has the settings for processes that use them.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from tests import servers

ROOT = Path(__file__).parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make services", description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="where settings and Pacemark's own data go")
    folder: Path = parser.parse_args().data.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    with ExitStack() as running:
        database = running.enter_context(servers.postgres_cluster()).settings()
        settings = {
            "PACEMARK_DATABASE_URL": database["database_url"],
            "PACEMARK_MIGRATION_URL": database["migration_url"],
            "PACEMARK_NATS_URL": running.enter_context(servers.nats_server()).url,
            "PACEMARK_REDIS_URL": running.enter_context(servers.valkey()),
            "PACEMARK_DATA": str(folder),
            "PACEMARK_ALLOW_PRIVATE_TARGETS": "true",
        }
        file = folder / "services.env"
        lines = (f"export {name}={shlex.quote(value)}" for name, value in settings.items())
        file.write_text("\n".join(lines) + "\n")
        print(f"PostgreSQL, NATS and Valkey are running; Ctrl-C stops them.\nready . {file}", flush=True)
        running.callback(file.unlink)
        signal.pause()


if __name__ == "__main__":
    main()
