"""What an installation protects is opened by its secret, and by those that it had before; found by both, made by the first."""

from __future__ import annotations

import pytest

from domain.keyring import Keyring, Unsealed

OLD, NEW, ROTATED = Keyring([b"old"]), Keyring([b"new"]), Keyring([b"new", b"old"])


def test_what_was_sealed_opens_with_the_same_secret_and_for_the_same_purpose_alone() -> None:
    sealed = OLD.seal(b"hunter2", "access")
    assert b"hunter2" not in sealed
    assert OLD.open(sealed, "access") == b"hunter2"
    for keyring, purpose in ((NEW, "access"), (OLD, "mail")):
        with pytest.raises(Unsealed):
            keyring.open(sealed, purpose)


def test_after_a_rotation_old_seals_open_and_new_ones_take_the_new_secret() -> None:
    assert ROTATED.open(OLD.seal(b"kept", "access"), "access") == b"kept"
    assert NEW.open(ROTATED.seal(b"kept", "access"), "access") == b"kept"
    with pytest.raises(Unsealed):
        OLD.open(ROTATED.seal(b"kept", "access"), "access")


def test_only_what_the_secret_of_now_opens_is_current() -> None:
    old = OLD.seal(b"kept", "access")
    assert (OLD.is_current(old, "access"), ROTATED.is_current(old, "access")) == (True, False)
    assert ROTATED.is_current(ROTATED.sealed_anew(old, "access"), "access")
    assert not OLD.is_current(old, "mail")
    assert not OLD.is_current(b"no token", "access")


def test_what_was_sealed_before_is_sealed_anew_with_the_secret_of_now() -> None:
    anew = ROTATED.sealed_anew(OLD.seal(b"kept", "access"), "access")
    assert NEW.open(anew, "access") == b"kept"
    with pytest.raises(Unsealed):
        ROTATED.sealed_anew(Keyring([b"other"]).seal(b"kept", "access"), "access")


def test_a_broken_seal_is_never_opened() -> None:
    sealed = bytearray(OLD.seal(b"kept", "access"))
    sealed[40] ^= 1
    with pytest.raises(Unsealed):
        OLD.open(bytes(sealed), "access")


def test_a_digest_is_made_by_the_secret_of_now_and_found_by_former_ones_too() -> None:
    assert ROTATED.digest("key") == NEW.digest("key")
    assert ROTATED.digests("key") == [NEW.digest("key"), OLD.digest("key")]
    assert len({OLD.digest("key"), NEW.digest("key"), OLD.digest("other"), OLD.digest("key", "links")}) == 4
