"""Reading HTML in a child process that may neither block the event loop nor outlive its bounds."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

import orjson

from domain.measuring import FormFactor, ResourceType

from .observation import Page, Reference

SECONDS = 10
MEMORY_BYTES = 1_500_000_000
_SCRIPT = str(Path(__file__).with_name("markup.py"))
# The viewports of Lighthouse's mobile and desktop presets: width in CSS pixels, device pixels for one of them.
_SCREENS = {FormFactor.MOBILE: ("412", "1.75"), FormFactor.DESKTOP: ("1350", "1")}


async def read_page(html: bytes, url: str, charset: str | None, form_factor: FormFactor) -> Page | None:
    """What the HTML says, or None when reading it takes more than 10 s or 1.5 GB: nesting can be made to."""
    bounds = (str(SECONDS), str(MEMORY_BYTES))
    command = (sys.executable, "-I", _SCRIPT, url, charset or "", *_SCREENS[form_factor], *bounds)
    child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(SECONDS * 2):
            output, _ = await child.communicate(html)
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _page(orjson.loads(output)) if child.returncode == 0 else None


def _page(facts: dict[str, Any]) -> Page:
    references = tuple(Reference(url, ResourceType(kind)) for url, kind in facts.pop("references"))
    rest: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    return Page(references=references, **rest)
