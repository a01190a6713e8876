"""A mail from the transaction that it tells of to the mail server, through a running worker."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import bootstrap, settings, worker
from app.errors import Unusable
from app.settings import Settings
from app.wiring import House
from domain import jobs, mails
from domain.access import SYSTEM
from domain.mails import Template
from domain.work import Origin
from infra.bus import outbox
from infra.email.console import ConsoleMailer
from infra.email.smtp import SmtpMailer
from tests.app.running import pacemark, staying
from tests.app.test_worker import eventually
from tests.inbox import inbox
from tests.servers import PostgresServer

LINK = "https://pace.example.com/auth/reset?token=pml_verysecret"
SENDER = "noreply@pace.example.com"


async def write(house: House, to: str = "ann@example.org") -> None:
    async with house.database.work(SYSTEM, Origin("203.0.113.7", "")) as work:
        await mails.send(work, Template.PASSWORD_RESET, to, {"link": LINK}, house.keyring)


async def sent(house: House, number: int = 1) -> list[str]:
    """Mails are written, and received by what PACEMARK_MAIL_URL names; what was logged meanwhile."""
    stop = asyncio.Event()
    with capture_logs() as logs:
        working = asyncio.create_task(worker.work(house, stop, drain_seconds=5))
        try:
            for each in range(number):
                await write(house, f"ann{each}@example.org")
            await done(house)
        finally:
            stop.set()
            await working
    return [str(entry) for entry in logs]


async def done(house: House) -> None:
    """Once nothing waits any more and nothing runs."""
    async with asyncio.timeout(20):
        while await jobs.by_kinds(house.database.reader):
            await asyncio.sleep(0.05)


async def test_a_worker_sends_what_is_written_over_postgresql_and_nats(
    tmp_path: Path, postgres_server: PostgresServer, nats_url: str
) -> None:
    name = f"mails_{secrets.token_hex(6)}"
    installation = await postgres_server.create_installation(name)
    async with inbox() as box:
        given = Settings(
            _env_file=None,
            data=tmp_path,
            nats_url=nats_url,
            nats_prefix=name,
            mail_url=box.url,
            mail_from=SENDER,
            **installation,
        )
        async with bootstrap.embedded(given) as (house, _):
            await eventually(lambda: house.bus.connected)  # type: ignore[union-attr]
            logs = await sent(house, 3)
    assert sorted(message["To"] for message in box.messages) == [f"ann{each}@example.org" for each in range(3)]
    assert logs == []


@pytest.mark.slow
async def test_a_worker_of_its_own_process_sends_what_another_wrote_and_logs_nothing_of_it(tmp_path: Path) -> None:
    assert pacemark(tmp_path, "migrate", data=str(tmp_path)).returncode == 0
    async with inbox() as box, bootstrap.embedded(Settings(_env_file=None, data=tmp_path)) as (house, _):
        with staying(tmp_path, "worker", answers=False, data=str(tmp_path), mail_url=box.url, mail_from=SENDER) as server:
            await write(house)
            [message] = await box.taken()
            box.rcpt = "550 5.1.1 <{address}> is unknown"
            await write(house, "eve@example.org")
            await done(house)
            assert await asyncio.to_thread(server.stop) == 0
    assert (message["To"], message["From"]) == ("ann@example.org", f"Pacemark <{SENDER}>")
    body = message.get_body(("plain",))
    assert body is not None
    assert LINK in body.get_content()
    logged = server.errors.read_text()
    assert "The mail server refuses it for good: 550 5.1.1." in logged
    for secret in ("pml_", "ann@", "eve@"):
        assert secret not in logged


async def test_without_a_mail_server_a_developer_reads_the_mail_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "POLL_SECONDS", 0.05)
    async with bootstrap.embedded(Settings(_env_file=None, data=tmp_path)) as (house, _):
        assert isinstance(house.mailer, ConsoleMailer)
        await sent(house)
    assert "| To: ann0@example.org (not sent: PACEMARK_MAIL_URL is not set)\n" in capsys.readouterr().err


async def test_the_settings_choose_the_mailer(tmp_path: Path) -> None:
    given = Settings(_env_file=None, data=tmp_path, mail_url="smtp://127.0.0.1:25", mail_from=SENDER)
    async with bootstrap.embedded(given) as (house, _):
        assert isinstance(house.mailer, SmtpMailer)


def refusal(**given: str) -> str:
    with pytest.raises(Unusable) as caught:
        settings.load(**given)
    return str(caught.value)


def test_settings_that_do_not_fit_are_named_and_a_password_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(mail_url="smtps://mail.example.com") == (
        "PACEMARK_MAIL_URL needs PACEMARK_MAIL_FROM too: the address that mails come from."
    )
    assert refusal(env="test", mail_url="smtps://mail.example.com", mail_from=SENDER) == (
        "PACEMARK_ENV=test asks no outside service: set PACEMARK_MAIL_URL to a local one."
    )
    assert refusal(mail_url="mail://ann:hunter2@host", mail_from=SENDER) == (
        "PACEMARK_MAIL_URL: a mail server is smtp://user:password@mail.example.com:587, or "
        "smtps://user:password@mail.example.com."
    )
    assert refusal(mail_from="Pacemark <noreply@pace.example.com>") == (
        "PACEMARK_MAIL_FROM: an address is such as pacemark@example.com."
    )
    assert settings.load(env="test", mail_url="smtp://localhost:25", mail_from=f" {SENDER} ").mail_from == SENDER
