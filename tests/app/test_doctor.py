"""`pacemark doctor` names what is unsafe, each by its variable, and is silent about what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.doctor import Gravity, faults
from app.settings import Settings, load
from infra.db.roles import RoleFaults

NOTHING = RoleFaults("pacemark_service", False, False, False)
SECRET = "0123456789abcdef0123456789abcdef"
SAFE: dict[str, Any] = {
    "env": "production",
    "secret": SECRET,
    "host": "0.0.0.0",
    "public_url": "https://pacemark.example.com",
    "trusted_proxies": "10.0.0.1",
    "mail_url": "smtps://user:password@mail.example.com",
    "mail_from": "pacemark@example.com",
}


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
        ({"former_secrets": "0" * 32}, [("DOUBTFUL", "FORMER_SECRETS")]),
        ({"public_url": None}, [("UNSAFE", "PUBLIC_URL")]),
        ({"public_url": "http://pacemark.example.com"}, [("UNSAFE", "PUBLIC_URL")]),
        ({"trusted_proxies": None}, [("DOUBTFUL", "TRUSTED_PROXIES")]),
        ({"trusted_proxies": "*"}, [("UNSAFE", "TRUSTED_PROXIES")]),
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
