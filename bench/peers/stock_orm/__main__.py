"""`python -m bench.peers.stock_orm`, over DATABASE_URL."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from bench.peers.stock import serve

from .loaders import Context
from .models import sessions
from .schema import schema


async def get_session() -> AsyncGenerator[AsyncSession, None]:
    async with sessions() as session:
        yield session


async def get_context(session: AsyncSession = Depends(get_session)) -> Context:  # noqa: B008 - FastAPI's own way
    return Context(session)


if __name__ == "__main__":
    serve(schema, context_getter=get_context)
