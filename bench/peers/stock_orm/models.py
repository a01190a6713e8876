"""The columns that are asked for, and sessions over a pool of ten connections."""

from __future__ import annotations

import os
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Enum, ForeignKey
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class State(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Base(DeclarativeBase):
    type_annotation_map = {datetime: TIMESTAMP(timezone=True), State: Enum(State, native_enum=False)}  # noqa: RUF012


class WorkspaceModel(Base):
    __tablename__ = "workspaces"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]


class SiteModel(Base):
    __tablename__ = "sites"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"))
    default_profile_id: Mapped[UUID]
    name: Mapped[str]
    origin: Mapped[str]


class PageModel(Base):
    __tablename__ = "pages"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(ForeignKey("workspaces.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("sites.id"))
    name: Mapped[str]
    path: Mapped[str]
    site: Mapped[SiteModel] = relationship(lazy="raise")


class AuditModel(Base):
    __tablename__ = "audits"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    page_id: Mapped[UUID] = mapped_column(ForeignKey("pages.id"))
    profile_id: Mapped[UUID]
    environment: Mapped[str]
    state: Mapped[State]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    performance_score: Mapped[float | None]
    lcp_ms: Mapped[float | None]
    fcp_ms: Mapped[float | None]
    tbt_ms: Mapped[float | None]
    cls: Mapped[float | None]


engine = create_async_engine(
    os.environ.get("DATABASE_URL", "postgresql://").replace("postgresql://", "postgresql+asyncpg://", 1),
    pool_size=10,
    max_overflow=0,
)
sessions = async_sessionmaker(engine, expire_on_commit=False)
