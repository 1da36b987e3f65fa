"""The token, kept out of everything that is written."""

from dataclasses import dataclass

MASK = "[redacted]"

#: A shorter value is no token of TMDB's (they have 200 characters), but might be a word of a film's text.
_SHORTEST = 8


@dataclass(frozen=True, repr=False)
class Secret:
    """A value that shows itself only to `reveal`; its `redact…` methods take it out of other text."""

    _value: str

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not to be written anywhere")

    def reveal(self) -> str:
        """The value itself: for the request's header, and nothing else."""
        return self._value

    def redact(self, text: str) -> str:
        """`text` with every occurrence of the value masked."""
        return text.replace(self._value, MASK)

    def redact_bytes(self, data: bytes) -> tuple[bytes, int]:
        """`data` with the value masked, and how often it occurred."""
        value = self._value.encode()
        if len(value) < _SHORTEST:
            return data, 0
        found = data.count(value)
        return (data.replace(value, MASK.encode()), found) if found else (data, 0)
