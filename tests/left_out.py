"""What a run leaves out, said in its last lines: slow tests, and tests that need what this machine lacks."""

import os
from collections import Counter, defaultdict
from typing import Any, NoReturn

import pytest

_FEW = 3


def missing(what: str) -> NoReturn:
    """Skip the test that needs ``what``, which this machine lacks; in CI, which installs it, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


class LeftOut:
    """The plugin. Slow tests run only where `--slow` or `-m` is given, or the test is named."""

    def __init__(self) -> None:
        self._slow = 0

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if config.option.slow or config.option.markexpr:
            return
        named = any("::" in argument for argument in config.args)
        slow = [] if named else [item for item in items if item.get_closest_marker("slow")]
        if slow:
            items[:] = [item for item in items if item not in set(slow)]
            config.hook.pytest_deselected(items=slow)
        self._slow = len(slow)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # a process of pytest-xdist has its own collection, and no terminal
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["slow"] = self._slow

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._slow = max(self._slow, getattr(node, "workeroutput", {}).get("slow", 0))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Any:
        result = yield
        by_reason: dict[str, list[str]] = defaultdict(list)
        for report in terminalreporter.stats.get("skipped", []):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            by_reason[reason.removeprefix("Skipped: ")].append(report.nodeid)
        if by_reason or self._slow:
            terminalreporter.section("left out")
        for reason, tests in sorted(by_reason.items()):
            terminalreporter.line(f"{_counted(len(tests), 'test')} skipped: {reason}")
            files = Counter(test.partition("::")[0] for test in tests)
            for name in tests if len(tests) <= _FEW else [f"{file} ({n})" for file, n in files.items()]:
                terminalreporter.line(f"    {name}")
        if self._slow:
            terminalreporter.line(f"{_counted(self._slow, 'slow test')} not run: make test SLOW=1 runs all")
        return result


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
