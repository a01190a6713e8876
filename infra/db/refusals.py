"""What the databases refuse, in the house's words: the constraint is what holds, and a server that is away is no bug."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.errors import Conflict, DatabaseAway, ProblemCode

_REFERRED = {"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"}
_TAKEN = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_AWAY = ("08", "53", "57P")  # connection exceptions; no room for one more; shut down, crashed, still starting


@contextlib.contextmanager
def refusals() -> Generator[None, None, None]:
    """The constraint is what holds; here it becomes an answer. And a server that is away is told from a bug of ours."""
    try:
        yield
    except IntegrityError as error:
        rule = _rule(error)
        if rule in _REFERRED:
            raise Conflict("Something else refers to this, or what this refers to is gone.", ProblemCode.IN_USE) from error
        if rule in _TAKEN:
            raise Conflict("There is one like this already.", ProblemCode.ALREADY_EXISTS) from error
        raise
    except DBAPIError as error:
        if error.connection_invalidated or (_rule(error) or "").startswith(_AWAY):
            raise DatabaseAway("The database went away.") from error
        raise


class asking:  # noqa: N801 - reads as a function
    """The same around a statement, the first of which makes the connection: there the system's errors are the database's.

    A plain class: a generator's frame would keep a cancelled statement's connection, and SQLite's lock with it, alive.
    """

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _at: object) -> None:
        # What asyncpg says while it connects comes as it is.
        state = getattr(error, "sqlstate", None)
        if isinstance(error, OSError | PoolTimeoutError) or (isinstance(state, str) and state.startswith(_AWAY)):
            raise DatabaseAway("The database cannot be reached.") from error
        if isinstance(error, DBAPIError):
            with refusals():
                raise error


def _rule(error: DBAPIError) -> str | None:
    """PostgreSQL's code or SQLite's name of the rule: the text may quote what a user typed."""
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
