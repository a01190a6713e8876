"""Mails over SMTP, to a real server: what arrives, over what, and what becomes of what is refused."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from urllib.parse import quote
from uuid import UUID

import pytest
import trustme

from domain.mails import Mail, MailerAway, MailRefused, Template
from infra.email import smtp
from infra.email.rendering import Renderer
from infra.email.servers import MailServer
from infra.email.smtp import SmtpMailer
from tests.inbox import PASSWORD, USER, Inbox, inbox

SENDER = "noreply@pace.example.com"
LINK = "https://pace.example.com/auth/reset?token=pml_abc&x=1"
ASKED = {"address": "203.0.113.7", "agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "at": "2026-11-23 01:40 UTC"}
MAIL = Mail(UUID(int=7), Template.PASSWORD_RESET, "ann@example.org", {"link": LINK, **ASKED})
RENDERER = Renderer("https://pace.example.com")


def server_of(box: Inbox, *, scheme: str = "smtp", user: str = "", must_encrypt: bool | None = None) -> MailServer:
    found = MailServer.parse(f"{scheme}://{user}127.0.0.1:{box.port}")
    return found if must_encrypt is None else replace(found, must_encrypt=must_encrypt)


def mailer(box: Inbox, tls: ssl.SSLContext | None = None, **how: object) -> SmtpMailer:
    return SmtpMailer(server_of(box, **how), SENDER, RENDERER, tls=tls)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def offered(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(ca: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    return context


async def test_a_mail_arrives_with_both_parts_and_everything_that_a_mail_needs() -> None:
    async with inbox() as box:
        await mailer(box).send(MAIL)
        [message], [envelope] = box.messages, box.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (SENDER, ["ann@example.org"])
    assert message["From"] == f"Pacemark <{SENDER}>"
    assert message["To"] == "ann@example.org"
    assert message["Subject"] == "Choose a new password"
    assert message["Message-ID"] == "<00000000000000000000000000000007@pace.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.tzinfo is not None
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert f"\n{LINK}\n" in text.get_content().replace("\r\n", "\n")
    assert f'<a href="{LINK.replace("&", "&amp;")}"' in html.get_content()
    assert "from the address 203.0.113.7, with Firefox on Linux." in text.get_content()


async def test_a_mail_that_is_sent_again_has_the_same_message_id() -> None:
    async with inbox() as box:
        for _ in range(2):
            await mailer(box).send(MAIL)
        first, second = box.messages
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_user_with_signs_in_the_password_signs_in_over_tls(
    scheme: str, offered: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    user = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"
    tls = {"starttls": offered} if scheme == "smtp" else {"tls": offered}
    async with inbox(**tls, asks_who=True) as box:
        await mailer(box, trusting, scheme=scheme, user=user, must_encrypt=True).send(MAIL)
        assert len(box.envelopes) == 1
        assert box.encrypted == [True]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_server_with_a_certificate_of_a_stranger_gets_nothing(scheme: str, offered: ssl.SSLContext) -> None:
    async with inbox(**({"starttls": offered} if scheme == "smtp" else {"tls": offered})) as box:
        with pytest.raises(MailerAway, match="certificate"):
            await mailer(box, scheme=scheme, must_encrypt=True).send(MAIL)
        assert box.envelopes == []


async def test_a_server_without_starttls_gets_nothing_unless_it_is_on_this_machine() -> None:
    async with inbox() as box:
        with pytest.raises(MailerAway, match="has no STARTTLS"):
            await mailer(box, must_encrypt=True).send(MAIL)
        assert box.envelopes == []
        await mailer(box).send(MAIL)
        assert box.encrypted == [False]


async def test_a_wrong_password_is_no_fault_of_the_mail(offered: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with inbox(starttls=offered, asks_who=True) as box:
        with pytest.raises(MailerAway) as caught:
            await mailer(box, trusting, user="ann:wrong@", must_encrypt=True).send(MAIL)
    assert str(caught.value) == "The mail server refuses the user or password of PACEMARK_MAIL_URL: 535 5.7.8."


@pytest.mark.parametrize(
    ("place", "answer", "kind", "reason"),
    [
        ("rcpt", "550 5.1.1 <{address}> is unknown", MailRefused, "The mail server refuses it for good: 550 5.1.1."),
        ("rcpt", "451 4.7.1 {address}: greylisted", MailerAway, "The mail server does not take it now: 451 4.7.1."),
        ("data", "554 we do not like ann@example.org", MailRefused, "The mail server refuses it for good: 554."),
        ("data", "452 4.3.1 no room", MailerAway, "The mail server does not take it now: 452 4.3.1."),
    ],
)
async def test_what_a_server_refuses_is_told_by_its_codes_alone(
    place: str, answer: str, kind: type[Exception], reason: str
) -> None:
    async with inbox() as box:
        setattr(box, place, answer)
        with pytest.raises(kind) as caught:
            await mailer(box).send(MAIL)
    assert str(caught.value) == reason
    assert caught.value.__suppress_context__


async def test_a_server_that_is_away_is_away(free_port: int) -> None:
    with pytest.raises(MailerAway, match=r"^The mail server is away: SMTPConnectError\.$"):
        await mailer(Inbox(port=free_port)).send(MAIL)


async def test_a_server_that_says_nothing_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "OPERATION_SECONDS", 0.2)
    held: list[asyncio.StreamWriter] = []

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    try:
        with pytest.raises(MailerAway, match="is away"):
            await mailer(Inbox(port=server.sockets[0].getsockname()[1])).send(MAIL)
    finally:
        for writer in held:
            writer.close()
        server.close()
        await server.wait_closed()


INJECTIONS = (
    "ann@example.org\r\nBcc: eve@example.org",
    "ann@example.org>\r\nRCPT TO:<eve@example.org",
    "a b@example.org",
    "ann",
    "",
)


@pytest.mark.parametrize("to", INJECTIONS)
async def test_what_is_no_address_is_refused_before_anybody_is_asked(to: str, free_port: int) -> None:
    with pytest.raises(MailRefused, match="none that mails are sent to"):
        await mailer(Inbox(port=free_port)).send(replace(MAIL, to=to))


async def test_a_name_that_somebody_chose_puts_no_line_into_the_head() -> None:
    values = {"link": LINK, "workspace": "Acme\r\nBcc: eve@example.org\r\n\r\nBuy", "inviter": "Ann\n\u2028", "role": "ADMIN"}
    async with inbox() as box:
        await mailer(box).send(Mail(UUID(int=8), Template.INVITATION, "bob@exämple.org", {**values, **ASKED}))
        [message], [envelope] = box.messages, box.envelopes
    assert envelope.rcpt_tos == ["bob@xn--exmple-cua.org"]
    assert message["Bcc"] is None
    assert message["Subject"] == "Ann invites you to Acme Bcc:\u2060 eve@\u2060example.\u2060org Buy"


async def test_a_server_that_ends_badly_after_it_took_the_mail_has_taken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with inbox() as box:

        async def handle_QUIT(_server: object, _session: object, _envelope: object) -> str:  # noqa: N802
            return "500 never"

        box.handle_QUIT = handle_QUIT  # type: ignore[attr-defined]
        await mailer(box).send(MAIL)
        assert len(box.envelopes) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", ("mail.example.com", 587, False, True, None, None)),
        ("smtps://ann:p%40ss@mail.example.com", ("mail.example.com", 465, True, True, "ann", "p@ss")),
        ("smtp://localhost:25", ("localhost", 25, False, False, None, None)),
        ("smtp://[::1]:25/", ("::1", 25, False, False, None, None)),
    ],
)
def test_a_url_says_how_a_server_is_spoken_to(url: str, expected: tuple[object, ...]) -> None:
    found = MailServer.parse(url)
    assert (found.host, found.port, found.implicit_tls, found.must_encrypt, found.user, found.password) == expected
    assert "p@ss" not in repr(found)


NO_SERVERS = (
    "http://host smtp:// smtp://host:0 smtp://host:99999 smtp://host/path smtp://ann@host smtp://:pw@host smtp://host?tls=no "
    "smtp://ann:p%0d%0aw@host mail.example.com"
)


@pytest.mark.parametrize("url", NO_SERVERS.split())
def test_what_is_no_server_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"a mail server is smtp://user:password@mail\.example\.com") as caught:
        MailServer.parse(url)
    assert "p%0d" not in str(caught.value)
