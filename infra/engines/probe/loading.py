"""Loading a page: the document through its redirects, then what its HTML asks for, within the bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from domain.measuring import ResourceType

from .failures import page_failure, status_failure
from .limits import Limits
from .observation import Exchange, Page, Reference, Resource
from .session import Session


async def load_document(session: Session, url: str, limits: Limits) -> list[Exchange]:
    """The redirects and then the document. Raises EngineFailure when it cannot be had."""
    exchanges: list[Exchange] = []
    try:
        async with asyncio.timeout(limits.document_seconds):
            await session.follow(url, ResourceType.DOCUMENT, limits.document_bytes, exchanges)
    except TimeoutError as error:
        seconds = limits.document_seconds
        raise page_failure("TIMEOUT", f"The page was not loaded within {seconds:g} s.", retryable=True) from error
    document = exchanges[-1]
    # A status of failure says more than a body that broke off or was too large.
    if document.status is not None and not 200 <= document.status < 300 and document.redirects_to is None:
        raise status_failure(document.status)
    if document.failure is not None:
        raise document.failure
    return exchanges


async def load_resources(session: Session, page: Page, limits: Limits) -> tuple[tuple[Resource, ...], list[str]]:
    """The sub-resources in the order of the document, those that failed too, and warnings of what was left out."""
    chosen = page.references[: limits.resources]
    begun: dict[str, list[Exchange]] = {}
    deadline = asyncio.get_running_loop().time() + limits.resources_seconds
    waiting = iter(chosen)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(limits.parallel, len(chosen))):
            group.create_task(_work(session, waiting, begun, deadline, limits))
    resources = tuple(Resource(wanted, tuple(begun[wanted.url])) for wanted in chosen if wanted.url in begun)
    return resources, _left_out(page, len(chosen), len(resources), limits)


async def _work(
    session: Session, waiting: Iterator[Reference], begun: dict[str, list[Exchange]], deadline: float, limits: Limits
) -> None:
    """Takes one sub-resource after the other until none, no time or no room is left."""
    now = asyncio.get_running_loop().time
    for reference in waiting:
        loaded = sum(exchange.body_bytes for exchanges in begun.values() for exchange in exchanges)
        room = min(limits.resource_bytes, limits.resources_bytes - loaded)
        if room <= 0 or now() >= deadline:
            return
        exchanges = begun[reference.url] = []
        try:
            async with asyncio.timeout_at(deadline):
                await session.follow(reference.url, reference.type, room, exchanges)
        except TimeoutError:
            exchanges[-1].failure = page_failure("TIMEOUT", "It was not loaded in the time that sub-resources have.")


def _left_out(page: Page, chosen: int, begun: int, limits: Limits) -> list[str]:
    warnings = []
    if chosen < page.referenced:
        warnings.append(f"The page has {page.referenced:,} sub-resources; the first {chosen} were looked at.")
    if begun < chosen:
        size, seconds = limits.resources_bytes / 1e6, limits.resources_seconds
        warnings.append(
            f"{chosen - begun} sub-resources were not fetched: a run may load {size:g} MB of them and take {seconds:g} s."
        )
    if page.lazy_images:
        warnings.append(f"{page.lazy_images} images load lazily and were not fetched.")
    return warnings
