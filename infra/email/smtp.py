"""Sends mails by SMTP."""

from __future__ import annotations

import contextlib
import re
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from domain.mails import Mail, MailerAway, MailRefused

from .message import compose, recipient
from .rendering import Renderer
from .servers import MailServer

OPERATION_SECONDS = 10.0
QUIT_SECONDS = 1.0
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class SmtpMailer:
    """A connection for each mail. What a server says is kept to its codes: the words may have the address in them."""

    def __init__(self, server: MailServer, sender: str, renderer: Renderer, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = sender
        self._renderer = renderer
        self._tls = tls or ssl.create_default_context()
        if not server.must_encrypt:
            self._tls.check_hostname = False
            self._tls.verify_mode = ssl.CERT_NONE

    async def send(self, mail: Mail) -> None:
        to = recipient(mail)
        message = compose(mail, self._renderer.render(mail), self._sender, to, datetime.now(UTC))
        client = self._client()
        try:
            await self._hand_over(client, to, message)
            # It has been taken: how the connection ends changes nothing.
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=QUIT_SECONDS)
        finally:
            client.close()

    def _client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            # The system's own name may be asked of a DNS that does not answer.
            local_hostname=self._sender.rpartition("@")[2],
            timeout=OPERATION_SECONDS,
            use_tls=server.implicit_tls,
            # None: where it is offered.
            start_tls=None if not server.must_encrypt else not server.implicit_tls,
            tls_context=self._tls,
        )

    async def _hand_over(self, client: SMTP, to: str, message: EmailMessage) -> None:
        """Raises MailRefused and MailerAway. A 5xx about anything but this mail is about how we are set up: that is mended."""
        try:
            await client.connect()
            await client.sendmail(self._sender, [to], message.as_bytes())
        except SMTPRecipientsRefused as refused:
            _raise(refused.recipients[0])
        except SMTPDataError as refused:
            _raise(refused)
        except SMTPAuthenticationError as refused:
            raise MailerAway(f"The mail server refuses the user or password of PACEMARK_MAIL_URL: {_codes(refused)}.") from None
        except SMTPResponseException as refused:
            raise MailerAway(f"The mail server takes nothing of ours: {_codes(refused)}.") from None
        except SMTPNotSupported:
            raise MailerAway("The mail server has no way to sign in that we know.") from None
        except (SMTPException, OSError) as away:
            raise MailerAway(_why(away)) from None


def _raise(refused: SMTPResponseException) -> None:
    if refused.code >= 500:
        raise MailRefused(f"The mail server refuses it for good: {_codes(refused)}.") from None
    raise MailerAway(f"The mail server does not take it now: {_codes(refused)}.") from None


def _why(away: BaseException) -> str:
    if isinstance(away, ssl.SSLCertVerificationError) or isinstance(away.__cause__, ssl.SSLCertVerificationError):
        return "The mail server's certificate is not to be trusted."
    # The library has no exception of its own for that.
    if isinstance(away, SMTPException) and away.message.startswith("SMTP STARTTLS extension not supported"):
        return "The mail server has no STARTTLS, without which it gets nothing."
    return f"The mail server is away: {type(away).__name__}."


def _codes(refused: SMTPResponseException) -> str:
    enhanced = _ENHANCED.match(refused.message)
    return f"{refused.code} {enhanced[0]}" if enhanced else str(refused.code)
