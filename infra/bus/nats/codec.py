"""An event as the bus carries it: JSON, whose unknown fields belong to later versions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson

from domain.work import EventKind, EventRow

_KINDS = {kind.value: kind for kind in EventKind}


def encode(row: EventRow) -> bytes:
    return orjson.dumps(
        {
            "sequence": row.sequence,
            "workspace": row.workspace_id.hex,
            "site": row.site_id.hex if row.site_id is not None else None,
            "subject": row.subject.hex,
            "kind": row.kind.value,
            "payload": row.payload,
            "at": row.at,
            "trace": row.trace,
        }
    )


def decode(body: bytes, sequence: int) -> EventRow | None:
    """The event at this place; None for one of a kind that only later versions know. Raises ValueError for anything else."""
    try:
        fields = orjson.loads(body)
        at, payload, trace = datetime.fromisoformat(fields["at"]), fields["payload"], fields["trace"]
        if fields["sequence"] != sequence or at.tzinfo is None or not isinstance(payload, dict):
            raise ValueError("not an event of this place")
        if trace is not None and not isinstance(trace, str):
            raise ValueError("a trace that is no text")
        site = UUID(hex=fields["site"]) if fields["site"] is not None else None
        workspace, subject = UUID(hex=fields["workspace"]), UUID(hex=fields["subject"])
        kind = _KINDS.get(fields["kind"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not an event") from error
    if kind is None:
        return None
    return EventRow(sequence, workspace, site, subject, kind, payload, at, trace)
