"""Logging to stderr, with the token masked in whatever is written, tracebacks included."""

import logging
import sys
from typing import TextIO

from extractor.secret import Secret

#: They log whole URLs at INFO and headers at DEBUG.
_CHATTY = ("httpx", "httpcore", "aiohttp", "asyncio", "backoff")


class RedactingFormatter(logging.Formatter):
    """The last guard: masks the token in the finished line, wherever it came from."""

    def __init__(self, secret: Secret | None) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return self._secret.redact(text) if self._secret else text


def set_up(level: str, secret: Secret | None, stream: TextIO | None = None) -> None:
    """Log at `level` to `stream` (default: stderr); libraries that log requests only at WARNING and above."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(RedactingFormatter(secret))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # it tells of each COPY that a lost connection ended; `landing` says so once
    logging.getLogger("psycopg").setLevel(logging.ERROR)
