"""A Lighthouse result from its bytes, in a form that can be written again as UTF-8."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson


def parse_object(data: bytes) -> Mapping[str, Any] | None:
    """The JSON object in these bytes, or None when they hold none.

    Texts cut inside an emoji leave lone surrogates, which JSON may escape and UTF-8 cannot hold: they become "?".
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            lenient = json.dumps(json.loads(data), ensure_ascii=False).encode("utf-8", "replace")
            document = orjson.loads(lenient)
        except (ValueError, RecursionError):
            return None
    return document if isinstance(document, dict) else None
