"""A command line's beginning and end: how it logs, what it masks, what it says of an error, whom it tells."""

import logging
from dataclasses import dataclass, field

from common import logs, notify
from common.errors import ConfigurationError, ProgramError, one_line
from common.files import drop_standard_output, open_standard_streams
from common.report import Report
from common.secret import Secret

log = logging.getLogger(__name__)


@dataclass
class Program:
    """What holds for whichever command. `webhook`: whom to tell when it fails, if anybody."""

    log_format: str = "text"
    secrets: list[Secret] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    webhook: Secret | None = None

    def __post_init__(self) -> None:
        open_standard_streams()

    def use_format(self, text: str | None) -> None:
        """Log in this form; empty is text. Raises `ConfigurationError` for one that there is not."""
        form = (text or "").strip().lower() or "text"
        if form not in logs.FORMATS:
            raise ConfigurationError(f"TMDB_LOG_FORMAT={text!r} must be one of {', '.join(logs.FORMATS)}")
        self.log_format = form

    def log_at(self, level: str = "INFO") -> None:
        """Log from now on, without the secrets known by now."""
        logs.set_up(level, self.secrets, form=self.log_format, report=self.report)

    def mask(self, text: str | None) -> None:
        """Keep a secret, such as the token, out of everything that is logged from the next `log_at` on."""
        if given := (text or "").strip():
            self.secrets.append(Secret(given))

    def use_webhook(self, text: str | None) -> None:
        """Tell this address of a failure. Raises `ConfigurationError` for one that is none."""
        self.webhook = notify.address(text)
        if self.webhook is not None:
            self.secrets += notify.secrets_of(self.webhook)

    def explain(self, error: Exception) -> tuple[int, str]:
        """Say on stderr what went wrong, through the log's redaction; the exit code and the reason."""
        import click  # with the rest of the program it is there already
        import psycopg

        if isinstance(error, click.UsageError) and self.log_format == "text":
            error.show()
            return error.exit_code, error.format_message()
        if not logging.getLogger().handlers:
            self.log_at()
        if isinstance(error, click.ClickException):
            code, reason = error.exit_code, error.format_message()
        elif isinstance(error, ProgramError):
            code, reason = error.exit_code, str(error)
        elif isinstance(error, psycopg.Error):
            # What is not foreseen: no right to make a schema, a table of another make.
            code, reason = 1, f"PostgreSQL refused the landing zone: {one_line(error)}"
        elif isinstance(error, OSError):
            # A full disk, no temporary folder, too many open files: the machine's, not the program's fault.
            code, reason = 1, f"the system refused: {one_line(error)}"
            drop_standard_output()
        else:
            log.error("a fault of the program itself, please report it:", exc_info=error)
            return 1, f"a fault of the program itself: {type(error).__name__}: {error}"
        logging.getLogger().error("%s", reason)
        return code, reason

    def tell(self, *, step: str, status: str, code: int, reason: str, seconds: float | None = None) -> None:
        """Tell the webhook, if there is one, how the program ended; for at most so many seconds."""
        if self.webhook is not None:
            content = notify.summary(
                self.report, step=step, status=status, exit_code=code, reason=reason, secrets=self.secrets
            )
            notify.send(self.webhook, content, seconds=seconds)
