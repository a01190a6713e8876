"""The table of runners. They serve every tenant, and belong to none."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..base import Base, Json


class Runner(Base):
    __tablename__ = "runners"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    location: Mapped[str]
    pool: Mapped[str]
    engines: Mapped[list[str]] = mapped_column(Json)
    seen_at: Mapped[datetime]


class RunnerRow(NamedTuple):
    id: UUID
    name: str
    location: str
    pool: str
    engines: list[str]
    seen_at: datetime
