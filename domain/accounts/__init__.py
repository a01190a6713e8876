"""People: how they sign in, and where they are signed in."""

from .actions import change_email, change_password, close, confirm, export, hold, register, rename, sign_up
from .credentials import sign_in
from .identities import sign_in_by_identity
from .idtokens import Expected, Person, Untrusted
from .idtokens import key_id as id_token_key
from .idtokens import read as read_id_token
from .limits import give_back, pay_for_mail, pay_for_sign_in
from .links import request_reset, request_verification, reset_password, verify_email
from .model import SEALED, LinkKind, SessionRow, SignInMethod, User, UserRow
from .passwords import Passwords, check_password
from .queries import get, is_open, live_sessions, sessions_of
from .rules import Registration, checked_email, checked_name, compared, may_sign_up, network, no_link, over, person
from .sessions import SignedIn, forget, refresh, revoke_all, revoke_session, sign_out, sign_out_by_token, start_session
from .signing import PUBLISHED, Issued, Signing, rotate
from .tokens import Access, SigningKey, Tokens, Unreadable

__all__ = [
    "PUBLISHED",
    "SEALED",
    "Access",
    "Expected",
    "Issued",
    "LinkKind",
    "Passwords",
    "Person",
    "Registration",
    "SessionRow",
    "SignInMethod",
    "SignedIn",
    "Signing",
    "SigningKey",
    "Tokens",
    "Unreadable",
    "Untrusted",
    "User",
    "UserRow",
    "change_email",
    "change_password",
    "check_password",
    "checked_email",
    "checked_name",
    "close",
    "compared",
    "confirm",
    "export",
    "forget",
    "get",
    "give_back",
    "hold",
    "id_token_key",
    "is_open",
    "live_sessions",
    "may_sign_up",
    "network",
    "no_link",
    "over",
    "pay_for_mail",
    "pay_for_sign_in",
    "person",
    "read_id_token",
    "refresh",
    "register",
    "rename",
    "request_reset",
    "request_verification",
    "reset_password",
    "revoke_all",
    "revoke_session",
    "rotate",
    "sessions_of",
    "sign_in",
    "sign_in_by_identity",
    "sign_out",
    "sign_out_by_token",
    "sign_up",
    "start_session",
    "verify_email",
]
