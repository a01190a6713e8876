from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from app.errors import Unusable
from app.folder import WorkerLock, kept_text
from app.secrecy import is_guessable
from app.settings import Environment, Settings, load
from tests.app.running import pacemark

SECRET = "9f2c4e8ab1d70356" * 4


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PACEMARK_{name.upper()}", raising=False)


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = load(data=tmp_path / "data")
    assert settings.env is Environment.DEVELOPMENT
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path}/data/pacemark.db"
    assert settings.base_url == "http://127.0.0.1:8000"


def test_the_example_explains_every_setting_and_no_other() -> None:
    text = (Path(__file__).parents[2] / ".env.example").read_text()
    named = re.findall(r"^PACEMARK_([A-Z0-9_]+)=", text, re.MULTILINE)
    assert sorted(name.lower() for name in named) == sorted(Settings.model_fields)


def test_the_example_as_it_stands_changes_nothing(tmp_path: Path) -> None:
    bare = load()
    (tmp_path / ".env").write_text((Path(__file__).parents[2] / ".env.example").read_text())
    assert load() == bare


def test_an_option_goes_before_a_variable_and_a_variable_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("PACEMARK_PORT=1001\nPACEMARK_HOST=127.0.0.2\nPACEMARK_RUNNER_POOL=file\n")
    monkeypatch.setenv("PACEMARK_PORT", "1002")
    monkeypatch.setenv("PACEMARK_HOST", "127.0.0.3")
    settings = load(port=1003, host=None)
    assert (settings.port, settings.host, settings.runner_pool) == (1003, "127.0.0.3", "file")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "lots", "PACEMARK_PORT: Input should be a valid integer"),
        ("PORT", "65536", "PACEMARK_PORT: Input should be less than or equal to 65535"),
        ("ENV", "staging", "PACEMARK_ENV: Input should be 'development', 'test' or 'production'"),
        ("PROBES_AT_ONCE", "0", "PACEMARK_PROBES_AT_ONCE: Input should be greater than or equal to 1"),
        ("DATABASE_URL", "mysql://x", "PACEMARK_DATABASE_URL: a database is postgresql://user:password@host/name"),
        (
            "PUBLIC_URL",
            "https://example.com:99999",
            "PACEMARK_PUBLIC_URL: an address begins with http:// or https:// and a host",
        ),
        ("PUBLIC_URL", "example.com", "PACEMARK_PUBLIC_URL: an address begins with http:// or https:// and a host"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"PACEMARK_{name}", value)
    with pytest.raises(Unusable) as caught:
        load()
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACEMARK_PORT", "x")
    monkeypatch.setenv("PACEMARK_ENV", "y")
    with pytest.raises(Unusable, match=r"PACEMARK_ENV: .*; PACEMARK_PORT: "):
        load()


def test_a_bad_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACEMARK_DATABASE_URL", "mysql://user:hunter2@host/name")
    with pytest.raises(Unusable) as caught:
        load()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])
def test_development_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(Unusable, match="listens on loopback only"):
        load(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_is_allowed_in_development(host: str) -> None:
    assert load(host=host).on_loopback


def test_test_asks_no_outside_service() -> None:
    with pytest.raises(Unusable, match="PACEMARK_PAGESPEED_URL"):
        load(env="test", pagespeed_key="key")
    load(env="test", pagespeed_key="key", pagespeed_url="http://127.0.0.1:1")
    bucket = {"s3_bucket": "b", "s3_access_key_id": "k", "s3_secret_access_key": "s"}
    with pytest.raises(Unusable, match="PACEMARK_S3_ENDPOINT"):
        load(env="test", **bucket)
    load(env="test", s3_endpoint="http://127.0.0.1:1", **bucket)


def test_production_needs_a_secret_of_its_own() -> None:
    with pytest.raises(Unusable, match="needs a PACEMARK_SECRET"):
        load(env="production")
    assert load(env="production", secret=SECRET, host="0.0.0.0").is_production


def test_a_short_secret_is_refused_everywhere() -> None:
    with pytest.raises(Unusable, match="PACEMARK_SECRET is too short: it needs at least 32 characters"):
        load(secret="short")
    with pytest.raises(Unusable, match="One of PACEMARK_FORMER_SECRETS is too short: they have at least 32 characters"):
        load(secret=SECRET, former_secrets=f"{SECRET},short")


def test_a_bucket_needs_its_keys() -> None:
    with pytest.raises(Unusable, match="PACEMARK_S3_BUCKET needs"):
        load(s3_bucket="b")


def test_production_forbids_reload(tmp_path: Path) -> None:
    done = pacemark(tmp_path, "up", "--reload", "--data", "d", env="production", secret=SECRET)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "PACEMARK_ENV=production runs the code that was started: it forbids --reload.\n"


def test_bad_settings_are_one_sentence_and_status_2(tmp_path: Path) -> None:
    done = pacemark(tmp_path, "migrate", port="lots")
    assert done.returncode == 2
    assert done.stderr.startswith("PACEMARK_PORT: Input should be a valid integer")
    assert done.stderr.count("\n") == 1


def test_an_ipv6_host_stands_in_brackets_in_links() -> None:
    assert load(host="::1", port=1).base_url == "http://[::1]:1"
    assert load(public_url="https://pacemark.example.com/").base_url == "https://pacemark.example.com"


def test_secrets_are_never_shown() -> None:
    shown = repr(load(secret=SECRET, pagespeed_key="hunter2", pagespeed_url="http://127.0.0.1:1"))
    assert SECRET not in shown
    assert "hunter2" not in shown


def test_a_secret_gives_the_same_keys_again_and_each_purpose_has_its_own(tmp_path: Path) -> None:
    first = load(data=tmp_path / "a").keyring()
    assert first.derive("keys") != first.derive("links")
    assert load(data=tmp_path / "a").keyring().derive("keys") == first.derive("keys")
    assert load(data=tmp_path / "b").keyring().derive("keys") != first.derive("keys")
    one, two = (load(data=tmp_path / each, secret=SECRET).keyring() for each in ("a", "b"))
    assert one.derive("keys") == two.derive("keys")


def test_a_kept_text_is_private_and_made_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"
    assert kept_text(path, lambda: "first") == "first"
    assert kept_text(path, lambda: "second") == "first"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match=r"The data folder '.*file/data' cannot be made: Not a directory\."):
        WorkerLock(tmp_path / "file" / "data", shared=False)


def test_one_process_holds_the_worker_lock_and_says_where_it_answers(tmp_path: Path) -> None:
    first, second, looking = (WorkerLock(tmp_path, shared=False) for _ in range(3))
    assert not looking.held_elsewhere()
    assert first.take("http://127.0.0.1:1")
    assert not second.take("http://127.0.0.1:2")
    assert looking.held_elsewhere()
    assert looking.address() == "http://127.0.0.1:1"
    first.close()
    assert second.take("http://127.0.0.1:2")
    assert looking.address() == "http://127.0.0.1:2"
    second.close()
    assert not looking.held_elsewhere()
    looking.close()


def test_several_processes_share_the_lock_where_the_database_is_a_server(tmp_path: Path) -> None:
    first, second, looking = (WorkerLock(tmp_path, shared=True) for _ in range(3))
    assert first.take()
    assert second.take()
    first.close()
    assert looking.held_elsewhere()
    second.close()
    assert not looking.held_elsewhere()
    looking.close()


def test_only_a_machine_of_ones_own_may_audit_private_addresses_by_itself() -> None:
    secret = "s" * 40
    assert Settings(_env_file=None).for_oneself
    assert not Settings(_env_file=None, public_url="https://pacemark.example").for_oneself
    assert not Settings(_env_file=None, env=Environment.PRODUCTION, secret=secret).for_oneself


def test_the_sslmode_of_a_database_address_is_understood() -> None:
    settings = Settings(_env_file=None, database_url="postgresql://u:p@db.example/x?sslmode=require")
    assert settings.database == "postgresql+asyncpg://u:p@db.example/x?ssl=require"


@pytest.mark.parametrize(
    "secret",
    [
        "x" * 40,
        "0123" * 10,
        "change-me-to-something-of-your-own-please",
        "pacemark-0123456789abcdefghijklmno",
        "0123456789abcdef" * 2,
        "1234567890" * 4,
        "fedcba9876543210" * 4,
        "qwertyuiop" * 4,
        "QWERTYUIOPasdfghjklZXCVBNM1234567890",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "k7Qz2mXw9Lr4" * 4,
    ],
)
def test_production_refuses_a_secret_that_can_be_guessed(secret: str) -> None:
    with pytest.raises(Unusable, match="PACEMARK_SECRET can be guessed"):
        load(env="production", secret=secret)
    with pytest.raises(Unusable, match="One of PACEMARK_FORMER_SECRETS can be guessed") as caught:
        load(env="production", secret=SECRET, former_secrets=f"{SECRET},{secret}")
    assert secret not in str(caught.value)
    assert load(secret=SECRET, former_secrets=secret).former_secrets


def test_what_is_made_at_random_is_no_secret_that_can_be_guessed() -> None:
    for _ in range(2_000):
        for secret in (
            secrets.token_hex(16),
            secrets.token_urlsafe(24),
            str(uuid4()),
            base64.b64encode(os.urandom(32)).decode(),
        ):
            assert not is_guessable(secret), secret


def test_a_command_that_asks_nothing_of_the_graph_does_not_load_it() -> None:
    said = "import sys, app.bootstrap, app.commands.keys; print('strawberry' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
