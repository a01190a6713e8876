"""People through the graph: accounts, sign-ins and what only somebody who is signed in may do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain import accounts, actors, security, workspaces
from domain.access import NOBODY, SYSTEM, Actor, Reach, Role
from domain.accounts import Registration
from domain.caching import Bucket
from domain.ids import Kind, encode, parse
from domain.paging import Window
from graph.accounts.confirming import EVEN_SECONDS
from graph.operations import Asked
from tests.domain.accounts.people import People
from tests.graph.asking import PLENTY, Asking, asking

__all__ = ["asking"]

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"

PROBLEM = "... on Problem { message code }"
FIELDS = f"{PROBLEM} ... on InvalidInput {{ fields {{ path code }} }}"
CREATE = f"mutation($input: AccountCreateInput!) {{ accountCreate(input: $input) {{ __typename {FIELDS} }} }}"
VERIFY = f"mutation($token: String!) {{ emailVerify(input: {{token: $token}}) {{ __typename {PROBLEM} }} }}"
SIGN_IN = f"""mutation($input: SessionCreateInput!) {{ sessionCreate(input: $input) {{ __typename {FIELDS}
  ... on SessionCreatePayload {{ accessToken expiresAt refreshToken user {{ id name email verifiedAt sessions {{ id isThis }} }}
    session {{ id method address agent createdAt seenAt expiresAt isThis }} }} }} }}"""
REFRESH = f"""mutation($token: String!) {{ sessionRefresh(input: {{refreshToken: $token}}) {{ __typename {PROBLEM}
  ... on SessionRefreshPayload {{ accessToken refreshToken user {{ email }} session {{ id isThis }} }} }} }}"""
ME = "{ viewer { user { id name email verifiedAt sessions { id method address agent isThis } } } }"


@pytest.fixture
def stranger(asking: Asking) -> Asking:
    return replace(asking, actor=NOBODY)


async def mails(asking: Asking) -> Any:
    return await People(asking.database, asking.services.passwords).mails()


async def account(stranger: Asking, email: str = EMAIL, name: str = "Ada") -> None:
    """A verified one."""
    made = await stranger.ask(CREATE, input={"email": email, "name": name, "password": PASSWORD})
    assert made == {"accountCreate": {"__typename": "AccountCreatePayload"}}
    token = (await mails(stranger))[-1].token
    assert (await stranger.ask(VERIFY, token=token)) == {"emailVerify": {"__typename": "EmailVerifyPayload"}}


async def sign_in(stranger: Asking, email: str = EMAIL, password: str = PASSWORD) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (await stranger.ask(SIGN_IN, input={"email": email, "password": password}))["sessionCreate"]
    return found


async def signed_in(stranger: Asking, email: str = EMAIL) -> Asking:
    """The same, asked with the access token of a new session."""
    said = await sign_in(stranger, email)
    access = await stranger.services.signing.read(said["accessToken"])
    actor = await actors.of_session(stranger.database.reader, access.user_id, access.session_id)
    assert actor is not None
    return replace(stranger, actor=actor)


def id_of(text: str) -> UUID:
    parsed = parse(text)
    assert parsed is not None
    return parsed[1]


async def test_somebody_signs_up_verifies_their_address_and_signs_in(stranger: Asking) -> None:
    await account(stranger)
    said = await sign_in(stranger)
    assert said["__typename"] == "SessionCreatePayload"
    access = await stranger.services.signing.read(said["accessToken"])
    assert encode(Kind.USER, access.user_id) == said["user"]["id"]
    assert encode(Kind.SESSION, access.session_id) == said["session"]["id"]
    assert (said["user"]["name"], said["user"]["email"]) == ("Ada", EMAIL)
    assert said["user"]["verifiedAt"] is not None
    assert said["user"]["sessions"] == [{"id": said["session"]["id"], "isThis": True}]
    assert (said["session"]["method"], said["session"]["address"]) == ("PASSWORD", "192.0.2.1")
    assert said["refreshToken"].startswith("pmr_")
    actor = await actors.of_session(stranger.database.reader, access.user_id, access.session_id)
    assert actor is not None
    viewer = (await replace(stranger, actor=actor).ask(ME))["viewer"]
    assert viewer["user"]["sessions"] == [
        {"id": said["session"]["id"], "method": "PASSWORD", "address": "192.0.2.1", "agent": "", "isThis": True}
    ]
    # Nothing of them is told to the next who asks in the same way.
    assert (await stranger.ask(ME)) == {"viewer": None}


async def test_an_address_that_has_an_account_is_answered_as_a_new_one(stranger: Asking) -> None:
    given = {"email": EMAIL, "name": "Ada", "password": PASSWORD}
    assert await stranger.ask(CREATE, input=given) == await stranger.ask(CREATE, input=given)
    assert [mail.template for mail in await mails(stranger)] == ["EMAIL_VERIFICATION", "ALREADY_REGISTERED"]


@pytest.mark.parametrize(
    ("wrong", "path", "code"),
    [
        ({"email": "ada"}, "email", "MALFORMED"),
        ({"name": ""}, "name", "OUT_OF_RANGE"),
        ({"password": "too short"}, "password", "OUT_OF_RANGE"),
        ({"password": "x" * 257}, "password", "OUT_OF_RANGE"),
    ],
)
async def test_what_cannot_be_an_account_is_refused(stranger: Asking, wrong: dict[str, str], path: str, code: str) -> None:
    said = await stranger.ask(CREATE, input={"email": EMAIL, "name": "Ada", "password": PASSWORD, **wrong})
    assert said["accountCreate"]["fields"] == [{"path": [path], "code": code}]
    assert await mails(stranger) == []


async def test_whoever_is_invited_may_sign_up_with_that_address_alone(asking: Asking, stranger: Asking) -> None:
    async with asking.database.work(asking.actor) as work:
        await workspaces.invite(
            work,
            workspace_id=asking.workspace_id,
            email=EMAIL,
            role=Role.MEMBER,
            sites=None,
            keyring=asking.services.keyring,
            base_url="http://pacemark.test",
        )
    given = {"name": "Ada", "password": PASSWORD, "invitation": (await mails(asking))[-1].token}
    invited = replace(stranger, services=replace(stranger.services, registration=Registration.INVITED))
    said = await invited.ask(CREATE, input={**given, "email": "eve@example.com"})
    assert said["accountCreate"]["code"] == "PERMISSION_MISSING"
    assert await invited.ask(CREATE, input={**given, "email": EMAIL}) == {
        "accountCreate": {"__typename": "AccountCreatePayload"}
    }
    assert (await mails(asking))[-1].template == "EMAIL_VERIFICATION"


@pytest.mark.parametrize("registration", [Registration.CLOSED, Registration.INVITED])
async def test_nobody_signs_up_where_that_is_closed(stranger: Asking, registration: Registration) -> None:
    closed = replace(stranger, services=replace(stranger.services, registration=registration))
    said = await closed.ask(CREATE, input={"email": EMAIL, "name": "Ada", "password": PASSWORD})
    assert (said["accountCreate"]["__typename"], said["accountCreate"]["code"]) == ("NotAllowed", "PERMISSION_MISSING")
    assert await mails(stranger) == []


async def test_a_wrong_address_and_a_wrong_password_are_one_answer(stranger: Asking) -> None:
    await account(stranger)
    wrong = await sign_in(stranger, password="wrong password")
    assert wrong == {
        "__typename": "InvalidInput",
        "message": "There is no account with this e-mail and password. If you have just signed up, open the link that was "
        "mailed to you first.",
        "code": "SIGN_IN_REFUSED",
        "fields": [{"path": ["password"], "code": "SIGN_IN_REFUSED"}],
    }
    assert await sign_in(stranger, "eve@example.com") == wrong


async def test_nobody_learns_from_their_own_password_whether_an_address_had_an_account(stranger: Asking) -> None:
    await account(stranger, "eve@example.com")
    own, time = "a strangers own", asyncio.get_running_loop().time
    said, taken = [], []
    for email in (EMAIL, "eve@example.com"):
        await stranger.ask(CREATE, input={"email": email, "name": "Ada", "password": own})
        began = time()
        said.append(await sign_in(stranger, email, own))
        taken.append(time() - began)
    assert said[0] == said[1]
    assert said[0]["code"] == "SIGN_IN_REFUSED"
    assert min(taken) >= EVEN_SECONDS
    _, first, again, told = [(mail.template, mail.to) for mail in await mails(stranger)]
    assert first == again == ("EMAIL_VERIFICATION", EMAIL)
    assert told == ("ALREADY_REGISTERED", "eve@example.com")
    await stranger.ask(VERIFY, token=(await mails(stranger))[2].token)
    assert (await sign_in(stranger, password=own))["__typename"] == "SessionCreatePayload"


async def test_a_hundred_aliases_are_a_hundred_attempts(stranger: Asking) -> None:
    policy = replace(stranger.services.policy, strangers_allowance=PLENTY)
    asking = replace(stranger, services=replace(stranger.services, policy=policy))
    attempt = (
        f'sessionCreate(input: {{email: "{EMAIL}", password: "wrong password"}}) {{ __typename ... on Problem {{ code }} }}'
    )
    codes: list[str] = []
    for part in range(5):  # twenty fields are the most at a document's root
        aliases = " ".join(f"a{part * 20 + number}: {attempt}" for number in range(20))
        codes += [each["code"] for each in (await asking.ask(f"mutation {{ {aliases} }}")).values()]
    assert len(codes) == 100
    assert codes.count("SIGN_IN_REFUSED") == 10
    assert codes.count("TOO_MANY") == 90
    assert codes[:10] == ["SIGN_IN_REFUSED"] * 10


async def test_what_a_hundred_passwords_cost_is_too_much_for_one_document(stranger: Asking) -> None:
    policy = replace(stranger.services.policy, strangers_allowance=Bucket(1_500, 1))
    asking = replace(stranger, services=replace(stranger.services, policy=policy))
    attempt = f'sessionCreate(input: {{email: "{EMAIL}", password: "wrong password"}}) {{ __typename }}'
    said = await asking.whole(f"mutation {{ a: {attempt} b: {attempt} c: {attempt} d: {attempt} }}")
    assert "data" not in said
    assert len(await asking.ask(f"mutation {{ a: {attempt} b: {attempt} }}")) == 2


async def test_mails_are_counted_alike_for_every_address(stranger: Asking) -> None:
    await account(stranger)
    request = """mutation($email: String!) { passwordResetRequest(input: {email: $email}) {
      __typename ... on LimitReached { code limit } } }"""
    for _ in range(2):  # strangers use up nothing of what she may have mailed herself
        await stranger.ask(CREATE, input={"email": EMAIL, "name": "Eve", "password": PASSWORD})
    sent = [(await stranger.ask(request, email=EMAIL))["passwordResetRequest"] for _ in range(6)]
    assert [each["__typename"] for each in sent] == ["PasswordResetRequestPayload"] * 5 + ["LimitReached"]
    assert sent[5]["limit"] == 5
    others = [(await stranger.ask(request, email="eve@example.com"))["passwordResetRequest"] for _ in range(6)]
    assert [each["__typename"] for each in others] == ["PasswordResetRequestPayload"] * 5 + ["LimitReached"]


async def test_a_session_goes_on_by_its_refresh_token_and_ends_when_two_know_it(stranger: Asking) -> None:
    await account(stranger)
    said = await sign_in(stranger)
    again = (await stranger.ask(REFRESH, token=said["refreshToken"]))["sessionRefresh"]
    assert again["__typename"] == "SessionRefreshPayload"
    assert again["session"] == {"id": said["session"]["id"], "isThis": True}
    assert again["user"] == {"email": EMAIL}
    assert again["refreshToken"] not in (said["refreshToken"], None)
    repeated = (await stranger.ask(REFRESH, token=said["refreshToken"]))["sessionRefresh"]
    assert repeated["refreshToken"] == again["refreshToken"]
    async with stranger.database.work(NOBODY) as work:
        assert await accounts.refresh(work, said["refreshToken"], keyring=stranger.services.keyring) is None
    over = (await stranger.ask(REFRESH, token=again["refreshToken"]))["sessionRefresh"]
    assert over == {"__typename": "NotAllowed", "message": "This session is over: sign in again.", "code": "NOT_SIGNED_IN"}
    assert (await stranger.ask(REFRESH, token="nonsense"))["sessionRefresh"] == over


async def test_browsers_get_cookies_where_the_answer_can_carry_them(stranger: Asking) -> None:
    await account(stranger)
    given = {"input": {"email": EMAIL, "password": PASSWORD, "cookies": True}}
    assert (await stranger.ask(SIGN_IN, **given))["sessionCreate"]["fields"] == [{"path": ["cookies"], "code": "MALFORMED"}]
    prepared = await stranger.operations.prepare(Asked(SIGN_IN, variables=given), stranger.caller)
    jar = prepared.context.set_cookies = []
    said = (await stranger.operations.result(prepared)).body(cost=False)["data"]["sessionCreate"]
    assert said["refreshToken"] is None
    access, refresh = jar
    assert access.startswith(f"pacemark-access={said['accessToken']};")
    assert "HttpOnly" in access
    assert refresh.startswith("pacemark-refresh=pmr_")
    assert all(part in refresh for part in ("HttpOnly", "Path=/auth", "SameSite=Strict"))
    out = f"mutation {{ signOut(input: {{cookies: true}}) {{ __typename {PROBLEM} }} }}"
    here = await signed_in(stranger)
    prepared = await here.operations.prepare(Asked(out), here.caller)
    jar = prepared.context.set_cookies = []
    said = (await here.operations.result(prepared)).body(cost=False)["data"]["signOut"]
    assert said == {"__typename": "SignOutPayload"}
    assert len(jar) == 2
    assert all("Max-Age=0" in each for each in jar)


async def test_sessions_end_here_there_and_everywhere(stranger: Asking) -> None:
    await account(stranger)
    here, there, third = [await signed_in(stranger) for _ in range(3)]

    async def live() -> list[bool]:
        found = await actors.current(stranger.database.reader, [here.actor, there.actor, third.actor])
        return [actor.session_id is not None for actor in found]

    assert await live() == [True, True, True]
    assert there.actor.session_id is not None
    session = encode(Kind.SESSION, there.actor.session_id)
    revoke = f"mutation($id: ID!) {{ sessionRevoke(input: {{session: $id}}) {{ __typename {PROBLEM} }} }}"
    assert (await here.ask(revoke, id=session))["sessionRevoke"] == {"__typename": "SessionRevokePayload"}
    assert await live() == [True, False, True]
    assert (await here.ask(revoke, id=session))["sessionRevoke"]["code"] == "NOT_FOUND"
    assert (await here.ask(revoke, id=stranger.workspace))["sessionRevoke"]["code"] == "ID_WRONG_KIND"
    said = await here.ask("mutation { sessionsRevoke(input: {}) { ... on SessionsRevokePayload { revoked } } }")
    assert said == {"sessionsRevoke": {"revoked": 1}}
    assert await live() == [True, False, False]
    assert (await here.ask(f"mutation {{ signOut(input: {{}}) {{ __typename {PROBLEM} }} }}"))["signOut"] == {
        "__typename": "SignOutPayload"
    }
    assert await live() == [False, False, False]


async def test_nobody_learns_of_anothers_sessions(stranger: Asking) -> None:
    await account(stranger)
    await account(stranger, "eve@example.com", "Eve")
    ada, eve = await signed_in(stranger), await signed_in(stranger, "eve@example.com")
    assert ada.actor.session_id is not None
    session = encode(Kind.SESSION, ada.actor.session_id)
    revoke = f"mutation($id: ID!) {{ sessionRevoke(input: {{session: $id}}) {{ __typename {PROBLEM} }} }}"
    assert (await eve.ask(revoke, id=session))["sessionRevoke"]["code"] == "NOT_FOUND"
    assert (await ada.ask("query($id: ID!) { node(id: $id) { id } }", id=session)) == {"node": None}
    user = (await eve.ask(ME))["viewer"]["user"]
    assert [each["id"] for each in user["sessions"]] == [encode(Kind.SESSION, eve.actor.session_id or UUID(int=0))]


async def test_a_key_tells_of_its_person_only_what_they_are_called(stranger: Asking) -> None:
    await account(stranger)
    here = await signed_in(stranger)
    key = Actor({stranger.workspace_id: Role.OWNER}, user_id=here.actor.user_id, key_id=UUID(int=7))
    user = (await replace(stranger, actor=key).ask(ME))["viewer"]["user"]
    assert user == {
        "id": encode(Kind.USER, here.actor.user_id or UUID(int=0)),
        "name": "Ada",
        "email": None,
        "verifiedAt": None,
        "sessions": None,
    }


OWN = {
    "emailChange": 'email: "new@example.com", password: "correct horse battery"',
    "passwordChange": 'password: "correct horse battery", newPassword: "another password"',
    "accountUpdate": 'name: "Eve"',
    "accountDelete": 'password: "correct horse battery"',
    "accountExport": "",
    "sessionRevoke": f'session: "session_{"0" * 32}"',
    "sessionsRevoke": "",
    "signOut": "",
}


@pytest.mark.parametrize("name", OWN)
async def test_ones_own_account_takes_a_session(stranger: Asking, name: str) -> None:
    key = Actor({stranger.workspace_id: Role.OWNER}, user_id=UUID(int=5), key_id=UUID(int=7))
    text = f"mutation {{ {name}(input: {{{OWN[name]}}}) {{ __typename {PROBLEM} }} }}"
    for actor in (NOBODY, key):
        assert (await replace(stranger, actor=actor).ask(text))[name] == {
            "__typename": "NotAllowed",
            "message": "Sign in: this is about your own account, and no API key opens it.",
            "code": "NOT_SIGNED_IN",
        }


async def test_a_forgotten_password_is_replaced(stranger: Asking) -> None:
    await account(stranger)
    here = await signed_in(stranger)
    await stranger.ask(f'mutation {{ passwordResetRequest(input: {{email: "{EMAIL}"}}) {{ __typename }} }}')
    token = (await mails(stranger))[-1].token
    reset = f"""mutation($token: String!, $password: String!) {{
      passwordReset(input: {{token: $token, newPassword: $password}}) {{ __typename {FIELDS} }} }}"""
    short = (await stranger.ask(reset, token=token, password="short"))["passwordReset"]
    assert short["fields"] == [{"path": ["newPassword"], "code": "OUT_OF_RANGE"}]
    assert (await stranger.ask(reset, token=token, password="another password"))["passwordReset"] == {
        "__typename": "PasswordResetPayload"
    }
    again = (await stranger.ask(reset, token=token, password="another password"))["passwordReset"]
    assert (again["__typename"], again["code"]) == ("NotFound", "NOT_FOUND")
    assert (await actors.current(stranger.database.reader, [here.actor]))[0].session_id is None
    assert (await sign_in(stranger))["code"] == "SIGN_IN_REFUSED"
    assert (await sign_in(stranger, password="another password"))["__typename"] == "SessionCreatePayload"


async def test_whoever_was_kept_from_trying_resets_the_password_and_signs_in_at_once(stranger: Asking) -> None:
    await account(stranger)
    for _ in range(10):
        await stranger.ask(f"mutation {{ {TRY} }}")
    assert (await sign_in(stranger))["code"] == "TOO_MANY"
    await stranger.ask(f'mutation {{ passwordResetRequest(input: {{email: "{EMAIL}"}}) {{ __typename }} }}')
    reset = """mutation($token: String!) {
      passwordReset(input: {token: $token, newPassword: "another password"}) { __typename } }"""
    said = await stranger.ask(reset, token=(await mails(stranger))[-1].token)
    assert said == {"passwordReset": {"__typename": "PasswordResetPayload"}}
    assert (await sign_in(stranger, password="another password"))["__typename"] == "SessionCreatePayload"


TRY = f'sessionCreate(input: {{email: "{EMAIL}", password: "wrong password"}}) {{ __typename }}'


async def test_a_password_an_address_and_a_name_are_changed(stranger: Asking) -> None:
    await account(stranger)
    here, there = await signed_in(stranger), await signed_in(stranger)
    change = f"""mutation($old: String!) {{ passwordChange(input: {{password: $old, newPassword: "another password"}}) {{
      __typename {PROBLEM} ... on PasswordChangePayload {{ revoked }} }} }}"""
    assert (await here.ask(change, old="wrong password"))["passwordChange"]["code"] == "SIGN_IN_REFUSED"
    assert (await here.ask(change, old=PASSWORD))["passwordChange"] == {"__typename": "PasswordChangePayload", "revoked": 1}
    assert (await actors.current(stranger.database.reader, [there.actor]))[0].session_id is None
    move = f"""mutation($password: String!) {{
      emailChange(input: {{email: "New@example.com", password: $password}}) {{ __typename {PROBLEM} }} }}"""
    assert (await here.ask(move, password=PASSWORD))["emailChange"]["code"] == "SIGN_IN_REFUSED"
    assert (await here.ask(move, password="another password"))["emailChange"] == {"__typename": "EmailChangePayload"}
    await stranger.ask(VERIFY, token=(await mails(stranger))[-1].token)
    rename = 'mutation { accountUpdate(input: {name: "Countess"}) { ... on AccountUpdatePayload { user { name email } } } }'
    assert (await here.ask(rename))["accountUpdate"] == {"user": {"name": "Countess", "email": "new@example.com"}}


async def test_an_account_is_exported_and_deleted_but_not_while_a_workspace_is_owned_by_it(stranger: Asking) -> None:
    await account(stranger)
    here = await signed_in(stranger)
    said = await here.ask("mutation { accountExport(input: {}) { ... on AccountExportPayload { json } } }")
    assert EMAIL in said["accountExport"]["json"]
    assert "argon2" not in said["accountExport"]["json"]
    delete = f"mutation($password: String!) {{ accountDelete(input: {{password: $password}}) {{ __typename {PROBLEM} }} }}"
    assert here.actor.user_id is not None
    async with stranger.database.work(here.actor) as work:
        workspace_id = await workspaces.create(work, slug="lovelace", name="Lovelace", owner_id=here.actor.user_id)
    owner = await signed_in(stranger)
    assert owner.actor.roles == {workspace_id: Role.OWNER}
    assert (await owner.ask(delete, password=PASSWORD))["accountDelete"]["code"] == "IN_USE"
    async with stranger.database.work(SYSTEM) as work:
        other = await accounts.register(work, name="Other")
        work.db.add(workspaces.Member(workspace_id=workspace_id, user_id=other, role=Role.OWNER, joined_at=work.now))
    assert (await here.ask(delete, password="wrong password"))["accountDelete"]["code"] == "SIGN_IN_REFUSED"
    assert (await owner.ask(delete, password=PASSWORD))["accountDelete"] == {"__typename": "AccountDeletePayload"}
    assert (await actors.current(stranger.database.reader, [here.actor]))[0].session_id is None
    assert (await sign_in(stranger))["code"] == "SIGN_IN_REFUSED"


DELETE = f"""mutation {{ accountDelete(input: {{password: "{PASSWORD}"}}) {{ __typename {PROBLEM} }} }}"""


async def test_a_workspace_that_was_made_by_another_token_a_moment_ago_does_not_lose_its_only_owner(stranger: Asking) -> None:
    await account(stranger)
    here, there = await signed_in(stranger), await signed_in(stranger)
    make = 'mutation { workspaceCreate(input: {slug: "new", name: "New"}) { __typename } }'
    assert (await there.ask(make)) == {"workspaceCreate": {"__typename": "WorkspaceCreatePayload"}}
    assert here.actor.roles == {}
    assert (await here.ask(DELETE))["accountDelete"]["code"] == "IN_USE"
    assert (await sign_in(stranger))["__typename"] == "SessionCreatePayload"


async def test_nobody_becomes_an_owner_while_their_account_is_deleted(stranger: Asking) -> None:
    """Another unit of work makes a workspace of theirs: either it is there before, or the account is not there any more."""
    await account(stranger)
    here, there = await signed_in(stranger), await signed_in(stranger)
    assert there.actor.user_id is not None
    async with stranger.database.work(there.actor) as work:
        await workspaces.create(work, slug="new", name="New", owner_id=there.actor.user_id)
        deleting = asyncio.create_task(here.ask(DELETE))
        if not stranger.database.is_sqlite:  # its own row is held by the member that is not committed yet
            done, _ = await asyncio.wait({deleting}, timeout=1)
            assert not done
    assert (await deleting)["accountDelete"]["code"] == "IN_USE"
    assert (await sign_in(stranger))["__typename"] == "SessionCreatePayload"


async def test_a_workspace_that_others_own_as_well_is_left_whichever_token_joined_it(stranger: Asking) -> None:
    await account(stranger)
    here = await signed_in(stranger)
    assert here.actor.user_id is not None
    async with stranger.database.work(SYSTEM) as work:
        other = await accounts.register(work, name="Other")
        workspace_id = await workspaces.create(work, slug="theirs", name="Theirs", owner_id=other)
        work.db.add(
            workspaces.Member(
                workspace_id=workspace_id, user_id=here.actor.user_id, role=Role.ADMIN, by_site=False, joined_at=work.now
            )
        )
    assert (await here.ask(DELETE))["accountDelete"] == {"__typename": "AccountDeletePayload"}
    log = await security.LOG.of(stranger.database.reader, Reach.whole(workspace_id), workspace_id, Window())
    assert log.rows[0].kind == "MEMBER_REMOVED"
    assert log.rows[0].details == {"role": "ADMIN"}


async def test_what_is_kept_of_an_account_that_the_same_document_deletes_is_refused(stranger: Asking) -> None:
    await account(stranger)
    here = await signed_in(stranger)
    both = DELETE.removesuffix("}") + f" accountExport(input: {{}}) {{ __typename {PROBLEM} }} }}"
    said = await here.ask(both)
    assert said["accountDelete"]["__typename"] == "AccountDeletePayload"
    assert (said["accountExport"]["__typename"], said["accountExport"]["code"]) == ("NotAllowed", "NOT_SIGNED_IN")
