"""What both mailers do, and what each template says."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID

import pytest
from jinja2 import UndefinedError
from structlog.testing import capture_logs

from domain.mails import VALUES, Mail, Mailer, MailRefused, Template
from infra.email.console import ConsoleMailer
from infra.email.rendering import Renderer, named, program
from infra.email.servers import MailServer
from infra.email.smtp import SmtpMailer
from tests.inbox import inbox

ASKED = {"address": "203.0.113.7", "agent": "curl/8", "at": "2026-11-23 01:40 UTC"}
LINK = "https://pace.example.com/auth/x?token=abc&b=<c>"
GIVEN = {"link": LINK, "email": "t***@example.org", "workspace": "Acme <b>Ltd</b>", "inviter": "Ann", "role": "ADMIN"}
GIVEN |= {"said": "Alert", "title": "LCP <is> high", "details": "limit: 2500", "site": "Shop", "page": "/", "since": "now"}
RENDERER = Renderer("https://pace.example.com")


def mail(template: Template, to: str = "ann@example.org") -> Mail:
    return Mail(UUID(int=1), template, to, {**{name: GIVEN[name] for name in VALUES[template]}, **ASKED})


Shown = tuple[Mailer, Callable[[], Awaitable[str]]]


@pytest.fixture(params=["console", "smtp"])
async def shown(request: pytest.FixtureRequest) -> AsyncGenerator[Shown, None]:
    """A mailer, and the text that came out at its other end."""
    if request.param == "console":
        written: list[str] = []

        async def text() -> str:
            return "".join(written).replace("\n| ", "\n")

        yield ConsoleMailer(RENDERER, write=written.append), text
        return
    async with inbox() as box:

        async def received() -> str:
            found = []
            for each in box.messages:
                body = each.get_body(("plain",))
                assert body is not None
                found.append(f"To: {each['To']}\nSubject: {each['Subject']}\n{body.get_content()}")
            return "".join(found).replace("\r\n", "\n")

        yield SmtpMailer(MailServer.parse(box.url), "noreply@pace.example.com", RENDERER), received


async def test_whom_it_is_for_what_it_is_about_and_its_link_come_out(shown: Shown) -> None:
    mailer, text = shown
    await mailer.send(mail(Template.PASSWORD_RESET))
    assert "To: ann@example.org" in await text()
    assert "Subject: Choose a new password\n" in await text()
    assert f"\n{LINK}\n" in await text()


async def test_what_is_no_address_gets_nothing(shown: Shown) -> None:
    mailer, text = shown
    with pytest.raises(MailRefused):
        await mailer.send(mail(Template.PASSWORD_RESET, "ann@example.org\nBcc: eve@example.org"))
    assert await text() == ""


async def test_a_value_that_is_missing_is_a_bug_and_nothing_comes_out(shown: Shown) -> None:
    mailer, text = shown
    with pytest.raises(UndefinedError, match="'inviter' is undefined"):
        await mailer.send(Mail(UUID(int=1), Template.INVITATION, "ann@example.org", {"link": LINK, **ASKED}))
    assert await text() == ""


async def test_in_production_the_console_says_that_there_was_a_mail_and_nothing_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capture_logs() as logs:
        await ConsoleMailer(RENDERER, shows=False).send(mail(Template.PASSWORD_RESET))
    [entry] = logs
    assert (entry["event"], entry["template"]) == ("A mail is not sent: set PACEMARK_MAIL_URL.", "PASSWORD_RESET")
    said = f"{logs}{capsys.readouterr()}"
    assert "token" not in said
    assert "ann@" not in said


SUBJECTS = {
    Template.EMAIL_VERIFICATION: "Confirm your e-mail address",
    Template.EMAIL_CHANGE: "Confirm your new e-mail address",
    Template.ALREADY_REGISTERED: "You have an account already",
    Template.PASSWORD_RESET: "Choose a new password",
    Template.EMAIL_CHANGE_REQUESTED: "Somebody asked to move your account to another e-mail address",
    Template.EMAIL_CHANGED: "Your e-mail address was changed",
    Template.PASSWORD_CHANGED: "Your password was changed",
    Template.INVITATION: "Ann invites you to Acme <b>Ltd</\u2060b>",
    Template.NEW_SIGN_IN: "A sign-in from a new place",
    Template.SESSIONS_REVOKED: "You were signed out",
}


@pytest.mark.parametrize("template", SUBJECTS)
def test_each_template_says_who_asked_what_else_to_do_and_has_one_link_where_there_is_one(template: Template) -> None:
    subject, text, html = RENDERER.render(mail(template))
    assert subject == SUBJECTS[template]
    links = [LINK] if "link" in VALUES[template] else []
    assert re.findall(r"^https?://\S+$", text, re.MULTILINE) == links
    assert re.findall(r'href="([^"]*)"', html) == [
        link.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for link in links
    ]
    for part in (text, html):
        assert "2026-11-23 01:40 UTC from the address 203.0.113.7, with a program." in part
        assert "If " in part.split("203.0.113.7")[1], "what to do if it was somebody else"
        assert "Pacemark at https://pace.example.com" in part
        assert "{" not in part
    assert not re.search(r"src=|<img|<script|<link|url\(|@import|<b>", html)


def test_an_alert_says_what_is_wrong_where_since_when_and_why_it_is_mailed() -> None:
    assert set(Template) - SUBJECTS.keys() == {Template.ALERT}, "nobody asked for it"
    subject, text, html = RENDERER.render(mail(Template.ALERT))
    assert subject == "Alert: LCP <is> high"
    for said in (
        "Alert: LCP <is> high",
        "Site: Shop",
        "Since: now",
        "limit:\u2060 2500",
        "workspace “Acme <b>Ltd</\u2060b>”",
        LINK,
    ):
        assert said in text, said
    assert "Alert: LCP &lt;is&gt; high" in html
    assert "203.0.113.7" not in text
    assert not re.search(r"src=|<img|<script|<link|url\(|@import|<b>|{", html)


def test_what_nobody_said_is_left_out() -> None:
    _, text, _ = RENDERER.render(Mail(UUID(int=1), Template.NEW_SIGN_IN, "a@b", {"address": "", "agent": "", "at": "now"}))
    assert "This was on now." in text


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//pace.example.com", "https://pace.example.com/ x", ""])
def test_what_is_no_link_is_a_bug(link: str) -> None:
    values = {"link": link, **ASKED}
    with pytest.raises(ValueError, match=r"The link of a mail PASSWORD_RESET is none\."):
        RENDERER.render(Mail(UUID(int=1), Template.PASSWORD_RESET, "ann@example.org", values))


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on an iPhone"),
        ("Cheap watches at http://evil.example", "a program"),
        ("", "a program"),
    ],
)
def test_a_program_is_told_in_words_of_ours(agent: str, words: str) -> None:
    assert program(agent) == words


def test_nothing_in_a_name_becomes_a_link_and_a_long_one_is_cut() -> None:
    assert named("https://evil.example") == "https:\u2060/\u2060/\u2060evil.\u2060example"
    assert named("x" * 61) == "x" * 59 + "…"
