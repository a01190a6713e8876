"""Tables of sites, pages, profiles and access, and the rows that reads give."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json
from ..keyring import ACCESS
from ..measuring import EngineName, FormFactor, ThrottlingMethod
from ..security import Sealed


class Profile(Base):
    __tablename__ = "profiles"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str]
    version: Mapped[int]
    engine: Mapped[EngineName]
    form_factor: Mapped[FormFactor]
    throttling_method: Mapped[ThrottlingMethod | None]
    rtt_ms: Mapped[float | None]
    throughput_kbps: Mapped[float | None]
    cpu_slowdown: Mapped[float | None]
    runs: Mapped[int]
    created_at: Mapped[datetime]


class Site(Base):
    __tablename__ = "sites"
    __table_args__ = (
        UniqueConstraint("workspace_id", "slug"),
        UniqueConstraint("workspace_id", "origin"),
        Index(None, "workspace_id", "name", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    default_profile_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("profiles.id"))
    slug: Mapped[str]
    name: Mapped[str]
    origin: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(Json)
    created_at: Mapped[datetime]


class SiteProfile(Base):
    """The profiles that a site chose, the default among them."""

    __tablename__ = "site_profiles"
    __table_args__ = (Index(None, "profile_id"),)

    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True)
    profile_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("profiles.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[UUID]


class SiteAccess(Base):
    """What is sent to get in, sealed. It is opened for a measurement only."""

    __tablename__ = "site_access"

    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[UUID]
    sealed: Mapped[bytes]
    header_names: Mapped[list[str]] = mapped_column(Json)
    cookie_names: Mapped[list[str]] = mapped_column(Json)
    has_password: Mapped[bool]
    updated_at: Mapped[datetime]


SEALED = Sealed(SiteAccess.site_id, SiteAccess.sealed, ACCESS)


class Page(Base):
    __tablename__ = "pages"
    __table_args__ = (
        UniqueConstraint("site_id", "path"),
        Index(None, "workspace_id", "name", "id"),
        Index(None, "workspace_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("workspaces.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("sites.id", ondelete="CASCADE"))
    name: Mapped[str]
    path: Mapped[str]
    created_at: Mapped[datetime]


class ProfileRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    name: str
    version: int
    engine: EngineName
    form_factor: FormFactor
    throttling_method: ThrottlingMethod | None
    rtt_ms: float | None
    throughput_kbps: float | None
    cpu_slowdown: float | None
    runs: int
    created_at: datetime


class SiteRow(NamedTuple):
    id: UUID
    workspace_id: UUID
    default_profile_id: UUID
    slug: str
    name: str
    origin: str
    tags: list[str]
    created_at: datetime


class PageRow(NamedTuple):
    """`origin` is the site's, so that a page knows its own address."""

    id: UUID
    workspace_id: UUID
    site_id: UUID
    name: str
    path: str
    created_at: datetime
    origin: str


class AccessRow(NamedTuple):
    site_id: UUID
    header_names: list[str]
    cookie_names: list[str]
    has_password: bool
    updated_at: datetime


class SealedRow(NamedTuple):
    sealed: bytes
