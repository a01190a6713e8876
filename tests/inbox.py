"""A real SMTP server on 127.0.0.1, in the test's own loop, that keeps what it is given."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "pace@mark", "s3cret/with:signs"


@dataclass
class Inbox:
    """`rcpt` and `data`: what it answers to an address and to a message, where that is not "yes"."""

    port: int = 0
    rcpt: str | None = None
    data: str | None = None
    envelopes: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def messages(self) -> list[EmailMessage]:
        parse = BytesParser(policy=default).parsebytes
        return [parse(each.content) for each in self.envelopes]  # type: ignore[misc, arg-type]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802
        if self.rcpt is not None:
            return self.rcpt.format(address=address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data is not None:
            return self.data
        self.envelopes.append(envelope)
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self.arrived.set()
        return "250 OK"

    async def taken(self, number: int = 1) -> list[EmailMessage]:
        """Once it has so many."""
        async with asyncio.timeout(20):
            while len(self.envelopes) < number:
                self.arrived.clear()
                await self.arrived.wait()
        return self.messages


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    # Not handled: else a refused client waits for an answer that never comes.
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def inbox(
    *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None, asks_who: bool = False
) -> AsyncGenerator[Inbox, None]:
    """`starttls`: offers it; `tls`: speaks nothing else; `asks_who`: takes mails of USER alone."""
    kept = Inbox()
    made: list[SMTP] = []

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            # It knows nothing of TLS that was there before it.
            warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
            made.append(
                SMTP(
                    kept,
                    hostname="inbox.test",
                    tls_context=starttls,
                    authenticator=_authenticate if asks_who else None,
                    auth_required=asks_who,
                    auth_require_tls=tls is None,
                    loop=asyncio.get_running_loop(),
                )
            )
        return made[-1]

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        for each in made:
            if each.transport is not None:
                each.transport.close()
        await server.wait_closed()
