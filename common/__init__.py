"""What every program of the project shares: how it logs, keeps secrets, hears signals, writes files, ends.

`program` (a command line's beginning and end), `errors` (what ends a command, with its exit code), `logs`,
`secret` (values that are masked in whatever is written), `signals`, `files` (a file that is there whole or
not at all), `report` and `notify` (who hears of a failed run, and what), `proxy` (TLS and proxies of the
environment), `version`. It knows no other package of the project but `warehouse.environment`.
"""

import sys
from types import TracebackType


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ctrl-C while a program is still being loaded ends it, and is no fault that needs a traceback."""
    if kind is not KeyboardInterrupt:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _hook
