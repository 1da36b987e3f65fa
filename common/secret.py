"""Secrets (a token, a webhook's address), kept out of everything that is written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MASK: Final = "[redacted]"

#: A shorter value can't be masked: it might be a word of any line or of a film's text.
SHORTEST: Final = 8


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that shows itself only to `reveal`; its `redact…` methods take it out of other text."""

    _value: str

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __len__(self) -> int:
        return len(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not to be written anywhere")

    def reveal(self) -> str:
        """The value itself: for the request's header, and nothing else."""
        return self._value

    def redact(self, text: str) -> str:
        """`text` with every occurrence of the value masked, unless the value is too short for a secret."""
        return text.replace(self._value, MASK) if len(self) >= SHORTEST else text

    def redact_bytes(self, data: bytes) -> tuple[bytes, int]:
        """`data` with the value masked, and how often it occurred."""
        if len(self) < SHORTEST:
            return data, 0
        value = self._value.encode()
        found = data.count(value)
        return (data.replace(value, MASK.encode()), found) if found else (data, 0)


def redact_all(text: str, secrets: Iterable[Secret]) -> str:
    """`text` without any of the secrets.

    The longest goes first: a secret that is part of a longer one would otherwise leave the longer one's rest.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = secret.redact(text)
    return text
