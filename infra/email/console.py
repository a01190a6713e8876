"""Shows mails instead of sending them: what a developer uses, and what says that mails are not set up."""

from __future__ import annotations

import sys
from collections.abc import Callable

import structlog

from domain.mails import Mail

from .message import recipient
from .rendering import Renderer

_log = structlog.get_logger()


def _on_standard_error(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


class ConsoleMailer:
    """`shows`: the text itself, with its link; else only that there was one, since what is logged is read by others."""

    def __init__(self, renderer: Renderer, *, shows: bool = True, write: Callable[[str], None] = _on_standard_error) -> None:
        self._renderer = renderer
        self._shows = shows
        self._write = write

    async def send(self, mail: Mail) -> None:
        rendered = self._renderer.render(mail)
        to = recipient(mail)
        if not self._shows:
            _log.warning("A mail is not sent: set PACEMARK_MAIL_URL.", mail=mail.id.hex, template=mail.template)
            return
        lines = rendered.text.rstrip().replace("\n", "\n| ")
        self._write(f"\n| To: {to} (not sent: PACEMARK_MAIL_URL is not set)\n| Subject: {rendered.subject}\n|\n| {lines}\n\n")
