"""What processes say of themselves: readable in a terminal, JSON lines with their trace elsewhere; never a secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import orjson
import structlog

from domain import tracing

_SECRET_NAMES = re.compile(r"authorization|cookie|password|secret|token|(?:^|_)key$", re.IGNORECASE)
_SECRET_TEXTS = (
    (re.compile(r"pmk_[0-9a-z_]+"), "pmk_…"),
    (re.compile(r"(?i)\b(bearer|basic) [\w.~+/=-]+"), r"\1 …"),
    (re.compile(r"://[^/\s@]+@"), "://…@"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_QUIET = ("uvicorn", "alembic", "httpx", "httpcore", "asyncio", "aiosqlite", "sqlalchemy", "opentelemetry", "urllib3")


def configure(*, production: bool = False, level: int = logging.INFO) -> None:
    """Everything goes to standard error, the libraries' warnings too."""
    in_terminal = sys.stderr.isatty() and not production
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if in_terminal else "iso", utc=not in_terminal),
        structlog.processors.StackInfoRenderer(),
        # Plain tracebacks: the pretty ones show local variables, and with them secrets.
        structlog.processors.format_exc_info,
        # In a terminal nobody looks a trace up, and the line would be twice as long.
        *(() if in_terminal else (name_trace,)),
        clean,
    ]
    renderer: Any = structlog.dev.ConsoleRenderer() if in_terminal else structlog.processors.JSONRenderer(serializer=_json)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def name_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The trace and the span in which this was said, where it is a sampled one."""
    trace_id = tracing.trace_id()
    if trace_id is not None:
        event.setdefault("trace_id", trace_id)
        event.setdefault("span_id", tracing.span_id())
    return event


def clean(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """No secrets, and no control characters with which a page could write lines or colours of its own."""
    return {name: "…" if _SECRET_NAMES.search(name) else _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for pattern, instead in _SECRET_TEXTS:
        value = pattern.sub(instead, value)
    return _CONTROL.sub("�", value)


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=repr).decode()
