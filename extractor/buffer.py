"""Between the fetchers and the writer: a queue bounded in rows and bytes, that gives out batches."""

import asyncio
from collections import deque
from typing import Final

from extractor.rows import Outcome, Row

#: A batch ends with so many rows, bytes of JSON, or seconds after its first row came.
BATCH_ROWS: Final = 500
BATCH_BYTES: Final = 4 << 20
BATCH_SECONDS: Final = 2.0
#: Fetchers wait while two batches wait.
_FULL: Final = 2


class Buffer:
    """Outcomes on their way to the landing zone. One taker, any number of putters."""

    def __init__(self) -> None:
        self._outcomes: deque[tuple[Outcome, int]] = deque()
        self._bytes = 0
        self._first_at = 0.0
        self._closed = False
        self._ready = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, outcome: Outcome) -> None:
        """Add one; waits while there is no room."""
        while self._has(_FULL):
            self._room.clear()
            await self._room.wait()
        size = len(outcome.body) if isinstance(outcome, Row) else 0
        if not self._outcomes:
            self._first_at = asyncio.get_running_loop().time()
        self._outcomes.append((outcome, size))
        self._bytes += size
        if len(self._outcomes) == 1 or self._has(1):
            self._ready.set()

    def close(self) -> None:
        """Nothing more comes: `take` gives out what is there, then nothing."""
        self._closed = True
        self._ready.set()

    async def take(self) -> list[Outcome]:
        """The next batch; empty when the buffer is closed and drained."""
        while not (self._closed or self._has(1)):
            self._ready.clear()
            try:
                async with asyncio.timeout_at(self._first_at + BATCH_SECONDS if self._outcomes else None):
                    await self._ready.wait()
            except TimeoutError:
                break
        batch: list[Outcome] = []
        size = 0
        while self._outcomes and len(batch) < BATCH_ROWS and size < BATCH_BYTES:
            outcome, length = self._outcomes.popleft()
            batch.append(outcome)
            size += length
        self._bytes -= size
        self._first_at = asyncio.get_running_loop().time()
        self._room.set()
        return batch

    def _has(self, batches: int) -> bool:
        return len(self._outcomes) >= batches * BATCH_ROWS or self._bytes >= batches * BATCH_BYTES
