"""Logging to stderr, as lines of text or of JSON, with secrets masked in whatever is written.

Times are UTC, so that no clock change repeats or skips an hour of the log.
"""

import logging
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TextIO

import orjson

from common.report import Report
from common.secret import Secret, redact_all

FORMATS: Final = ("text", "json")

#: These log whole URLs at INFO and headers at DEBUG.
_CHATTY = ("httpx", "httpcore", "aiohttp", "asyncio", "backoff")


class RedactingFormatter(logging.Formatter):
    """The last guard: masks the secrets in the finished line, wherever they came from."""

    def __init__(self, *secrets: Secret) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%SZ")
        self.converter = time.gmtime
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        return self.redact(super().format(record))

    def redact(self, text: str) -> str:
        """`text` without the secrets."""
        return redact_all(text, self._secrets)


class JsonFormatter(RedactingFormatter):
    """One JSON object a record: `time` (UTC, ISO 8601), `level`, `logger`, `message`; `run_id` once the
    ledger has given one; `exception`, a traceback's text. Secrets are masked before they are quoted.
    """

    def __init__(self, *secrets: Secret, report: Report | None = None) -> None:
        super().__init__(*secrets)
        self._report = report

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.redact(record.getMessage()),
        }
        if self._report is not None and self._report.run_id is not None:
            fields["run_id"] = self._report.run_id
        if record.exc_info:
            fields["exception"] = self.redact(self.formatException(record.exc_info))
        # what is no UTF-8 (a path's odd byte) must not cost the line
        clean = {
            key: value.encode(errors="replace").decode() if isinstance(value, str) else value
            for key, value in fields.items()
        }
        return orjson.dumps(clean).decode()


def set_up(
    level: str,
    secrets: Sequence[Secret] = (),
    *,
    form: str = "text",
    report: Report | None = None,
    stream: TextIO | None = None,
) -> None:
    """Log at `level` to `stream` (default: stderr); libraries that log requests only at WARNING and above.

    `form` is one of `FORMATS`; `report` tells the JSON lines the run's number.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        JsonFormatter(*secrets, report=report) if form == "json" else RedactingFormatter(*secrets)
    )
    logging.captureWarnings(form == "json")
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It tells of each COPY that a lost connection ended; the landing zone's writer says so once.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
