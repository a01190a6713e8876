"""`pacemark doctor` names what is unsafe, each by its variable, and is silent about what is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app.doctor import Gravity, faults
from app.settings import Settings, load
from infra.db.roles import RoleFaults

NOTHING = RoleFaults("pacemark_service", False, False, False)
SECRET = "9f2c4e8ab1d70356" * 4
SAFE: dict[str, Any] = {
    "env": "production",
    "secret": SECRET,
    "host": "0.0.0.0",
    "public_url": "https://pacemark.example.com",
    "trusted_proxies": "10.0.0.1",
    "mail_url": "smtps://user:password@mail.example.com",
    "mail_from": "pacemark@example.com",
}

STORES = {
    "database_url": "postgresql://x:y@localhost/x",
    "nats_url": "nats://127.0.0.1:4222,tls://nats.example",
    "redis_url": "rediss://redis.example",
}
BUCKET = {"s3_bucket": "b", "s3_access_key_id": "k", "s3_secret_access_key": "s"}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PACEMARK_{name.upper()}", raising=False)


def found(settings: Settings, role: RoleFaults = NOTHING) -> list[tuple[Gravity, str]]:
    return [(fault.gravity, fault.setting.removeprefix("PACEMARK_")) for fault in faults(settings, role)]


def settings(folder: Path, **changes: Any) -> Settings:
    given = {name: value for name, value in {**SAFE, **changes}.items() if value is not None}
    return load(data=folder, **given)


def test_whoever_works_for_themselves_alone_is_safe(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert found(load(data=tmp_path)) == []


def test_production_as_it_is_documented_is_safe(tmp_path: Path) -> None:
    assert found(settings(tmp_path)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"env": "test", "mail_url": None}, [("UNSAFE", "ENV"), ("DOUBTFUL", "INTROSPECTION"), ("UNSAFE", "MAIL_URL")]),
        ({"former_secrets": "c41f7d0e962ab853" * 2}, [("DOUBTFUL", "FORMER_SECRETS")]),
        ({"public_url": None}, [("UNSAFE", "PUBLIC_URL")]),
        ({"public_url": "http://pacemark.example.com"}, [("UNSAFE", "PUBLIC_URL")]),
        ({"trusted_proxies": None}, [("DOUBTFUL", "TRUSTED_PROXIES")]),
        ({"trusted_proxies": "*"}, [("UNSAFE", "TRUSTED_PROXIES")]),
        ({"trusted_proxies": "10.0.0.1, 0.0.0.0/0"}, [("UNSAFE", "TRUSTED_PROXIES")]),
        ({"trusted_proxies": "::/0"}, [("UNSAFE", "TRUSTED_PROXIES")]),
        ({"trusted_proxies": "10.0.0.0/8,fd00::/8,proxy"}, []),
        ({**STORES, "redis_url": "redis://10.0.0.2:6379/0"}, [("UNSAFE", "REDIS_URL")]),
        ({**STORES, "redis_url": "redis://[fd00::2]:6379/0"}, [("UNSAFE", "REDIS_URL")]),
        ({**STORES, "redis_url": "redis://:hunter2@127.0.0.1:6379/0"}, []),
        ({**STORES, "nats_url": "tls://a.example,nats://user:hunter2@b.example"}, [("UNSAFE", "NATS_URL")]),
        ({**STORES, "database_url": "postgresql://x:hunter2@db.example/x"}, [("UNSAFE", "DATABASE_URL")]),
        ({**STORES, "database_url": "postgresql://x@db.example/x?sslmode=prefer"}, [("UNSAFE", "DATABASE_URL")]),
        ({**STORES, "database_url": "postgresql://x@db.example/x?sslmode=require"}, []),
        ({**STORES, "database_url": "postgresql://x@/x?host=/run/postgresql"}, []),
        ({**STORES, "migration_url": "postgresql://x@db.example/x"}, [("UNSAFE", "MIGRATION_URL")]),
        (
            {"database_url": "postgresql://x@postgres/x", "nats_url": "nats://nats:4222", "redis_url": "redis://redis:6379/0"},
            [("DOUBTFUL", "DATABASE_URL"), ("DOUBTFUL", "NATS_URL"), ("DOUBTFUL", "REDIS_URL")],
        ),
        ({**STORES, "redis_url": None}, [("DOUBTFUL", "REDIS_URL")]),
        ({**BUCKET, "s3_endpoint": "http://s3.example:9000"}, [("UNSAFE", "S3_ENDPOINT")]),
        ({**BUCKET, "s3_endpoint": "http://minio:9000"}, [("DOUBTFUL", "S3_ENDPOINT")]),
        ({**BUCKET, "s3_endpoint": "https://s3.example"}, []),
        ({"otlp_endpoint": "http://collector.example:4318"}, [("UNSAFE", "OTLP_ENDPOINT")]),
        ({"otlp_endpoint": "http://127.0.0.1:4318"}, []),
        ({"metrics_token": "fifteen letters"}, [("UNSAFE", "METRICS_TOKEN")]),
        ({"metrics_token": "sixteen letters!"}, []),
        ({"allowed_origins": "https://a.example,http://b.example,http://localhost:5173"}, [("UNSAFE", "ALLOWED_ORIGINS")]),
        ({"allow_private_targets": True}, [("DOUBTFUL", "ALLOW_PRIVATE_TARGETS")]),
        ({"trace_trust_incoming": True}, [("DOUBTFUL", "TRACE_TRUST_INCOMING")]),
        ({"introspection": "everybody"}, [("DOUBTFUL", "INTROSPECTION")]),
        ({"registration": "open"}, [("DOUBTFUL", "REGISTRATION")]),
        (
            {"oidc_issuer": "http://idp.example", "oidc_client_id": "x", "oidc_client_secret": "y"},
            [("UNSAFE", "OIDC_ISSUER")],
        ),
        ({"mail_url": None, "mail_from": None}, [("UNSAFE", "MAIL_URL")]),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_each_unsafe_setting_is_named(tmp_path: Path, changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(settings(tmp_path, **changes)) == expected


def test_they_come_in_the_order_of_the_example_and_tell_no_secret(tmp_path: Path) -> None:
    everything = settings(
        tmp_path,
        env="test",
        database_url="postgresql://x:hunter2@db.example/x",
        migration_url="postgresql://y:hunter2@db.example/x",
        nats_url="nats://x:hunter2@nats.example",
        redis_url="redis://x:hunter2@redis.example",
        former_secrets=f"hunter2-{SECRET}",
        public_url="http://pacemark.example.com",
        trusted_proxies="*",
        allowed_origins="http://b.example",
        introspection="everybody",
        registration="open",
        oidc_issuer="http://idp.example",
        oidc_client_id="x",
        oidc_client_secret="y",
        allow_private_targets=True,
        **{**BUCKET, "s3_endpoint": "http://s3.example"},
        mail_url=None,
        otlp_endpoint="http://collector.example",
        trace_trust_incoming=True,
        metrics_token="hunter2",
    )
    tmp_path.chmod(0o755)
    Path(".env").touch(0o644)
    told = list(faults(everything, NOTHING))
    assert not any("hunter2" in f"{fault}" for fault in told)
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    named = re.findall(r"^(PACEMARK_[A-Z0-9_]+)=", example, re.MULTILINE)
    first, *others = [fault.setting for fault in told]
    assert (first, len(others)) == (".env", 19)
    assert others == sorted(others, key=named.index)


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_role_that_passes_policies_by_is_named(tmp_path: Path, at: int) -> None:
    role = RoleFaults("postgres", at == 1, at == 2, at == 3)
    assert found(settings(tmp_path), role) == [("UNSAFE", "DATABASE_URL")]


def test_files_that_others_can_read_are_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o644)
    assert found(load(data=tmp_path)) == [("UNSAFE", "DATA")]
    (tmp_path / "secret").chmod(0o600)
    tmp_path.chmod(0o755)
    assert found(load(data=tmp_path)) == [("DOUBTFUL", "DATA")]


def test_the_folder_and_the_database_are_looked_at_whether_a_secret_is_set_or_not(tmp_path: Path) -> None:
    database, elsewhere = tmp_path / "pacemark.db", tmp_path / "elsewhere.db"
    for file in (database, elsewhere):
        file.touch()
        file.chmod(0o600)
    for mode, expected in ((0o755, "DOUBTFUL"), (0o777, "UNSAFE"), (0o720, "UNSAFE")):
        tmp_path.chmod(mode)
        assert found(settings(tmp_path)) == [(expected, "DATA")]
    tmp_path.chmod(0o700)
    assert found(settings(tmp_path)) == []
    for mode in (0o644, 0o602, 0o640):
        database.chmod(mode)
        assert found(settings(tmp_path)) == found(load(data=tmp_path)) == [("UNSAFE", "DATA")]
    (tmp_path / "pacemark.db-wal").touch(0o644)
    assert found(settings(tmp_path)) == [("UNSAFE", "DATA"), ("UNSAFE", "DATA")]
    elsewhere.chmod(0o644)
    assert found(settings(tmp_path, database_url=f"sqlite:///{elsewhere}")) == [("UNSAFE", "DATABASE_URL")]


def test_an_env_file_that_others_can_read_is_named(tmp_path: Path) -> None:
    Path(".env").write_text("PACEMARK_RUNNER_NAME=x\n")
    Path(".env").chmod(0o600)
    assert found(settings(tmp_path)) == []
    for mode in (0o644, 0o640):
        Path(".env").chmod(mode)
        (fault,) = faults(settings(tmp_path), NOTHING)
        assert fault == (
            Gravity.UNSAFE,
            ".env",
            "Other users of this machine can get at .env.",
            f"chmod go= {Path.cwd() / '.env'}",
        )
