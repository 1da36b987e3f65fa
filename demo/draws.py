"""Repeatable random numbers: the same seed and key give the same numbers on every machine and Python.

`random` is not used: its methods above `random()` may change between Python versions, and seeding it anew for
every film costs more than building the film.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import shake_128
from struct import Struct
from typing import Final, TypeVar

T = TypeVar("T")

MASK: Final = 0xFFFFFFFF
#: Divides a 32-bit number into [0, 1).
UNIT: Final = 1 / 2**32

_layout = cache(Struct)


def numbers(key: str, count: int) -> tuple[int, ...]:
    """`count` 32-bit numbers drawn from `key`."""
    return _layout(f"<{count}I").unpack(shake_128(key.encode()).digest(4 * count))


def scramble(mix: int, step: int) -> int:
    """One 32-bit number from two integers: murmur3's finalizer, much cheaper than a hash of a string."""
    x = (mix ^ (step * 0x9E3779B1)) & MASK
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & MASK
    return x ^ (x >> 16)


def pick(items: Sequence[T], drawn: int) -> T:
    """The item that the 32-bit number `drawn` falls on."""
    return items[drawn * len(items) >> 32]


def spread(weights: str, size: int = 1024) -> list[str]:
    """A list to `pick` from by weight: of "a 3 b 1", three quarters are "a"; each is there at least once."""
    items = weights.split()
    pairs = [(item, float(weight)) for item, weight in zip(items[::2], items[1::2], strict=True)]
    total = sum(weight for _, weight in pairs)
    return [item for item, weight in pairs for _ in range(max(1, round(size * weight / total)))]
