"""Whose clip is looked at next: large ones come one at a time, so that they never keep small ones waiting."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool

T = TypeVar("T")

SMALL_AT_ONCE = 2


class Turns:
    """Work of one kind in turn, the first that came first; for one event loop.

    Whoever waits holds no thread and no place of those with small clips.
    """

    def __init__(self) -> None:
        self._small, self._large = asyncio.Semaphore(SMALL_AT_ONCE), asyncio.Semaphore(1)

    async def take(self, is_large: Callable[[], bool], work: Callable[..., T], *inputs: Any) -> T:
        """What ``work(*inputs)`` gives or raises, in a thread of its own once it is its turn.

        is_large: asked in such a thread too, as a look at the clip tells it.
        """
        async with self._small:
            if not await run_in_threadpool(is_large):
                return await run_in_threadpool(work, *inputs)
        async with self._large:
            return await run_in_threadpool(work, *inputs)
