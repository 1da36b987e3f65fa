"""What a run leaves out, said in its last lines: slow tests, and tests that need what this machine lacks."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any, NoReturn

import pytest

#: Marks of tests that run only where asked for, and how to ask.
APART = {"slow": "make test SLOW=1 runs them, too", "docker": "make test-docker runs them"}

_FEW = 3


def missing(what: str) -> NoReturn:
    """Skip the test that needs ``what``, which this machine lacks; in CI, which installs it, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def slow_but(first: int, cases: Iterable[Any]) -> list[Any]:
    """The ``cases`` of a `parametrize`; all behind the ``first`` few, which should differ most, are slow."""
    return [
        case
        if place < first
        else pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for place, case in enumerate(cases)
    ]


class LeftOut:
    """The plugin: marked tests run where their option or `-m` asks for them, or the test is named."""

    def __init__(self) -> None:
        self._marked: dict[str, int] = {}

    @pytest.hookimpl(trylast=True)  # of what `-k` and `-m` have left
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if any("::" in argument for argument in config.args):
            return
        for mark in APART:
            if mark in config.option.markexpr or getattr(config.option, mark, False):
                continue
            marked = [item for item in items if item.get_closest_marker(mark)]
            if marked:
                items[:] = [item for item in items if not item.get_closest_marker(mark)]
                config.hook.pytest_deselected(items=marked)
                self._marked[mark] = len(marked)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # a process of pytest-xdist has its own collection, and no terminal
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["marked"] = self._marked

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._marked |= getattr(node, "workeroutput", {}).get("marked", {})

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Any:
        result = yield
        by_reason: dict[str, list[str]] = defaultdict(list)
        for report in terminalreporter.stats.get("skipped", []):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            by_reason[reason.removeprefix("Skipped: ")].append(report.nodeid)
        if by_reason or self._marked:
            terminalreporter.section("left out")
        for reason, tests in sorted(by_reason.items()):
            terminalreporter.line(f"{_counted(len(tests), 'test')} skipped: {reason}")
            files = Counter(test.partition("::")[0] for test in tests)
            for name in tests if len(tests) <= _FEW else [f"{file} ({n})" for file, n in files.items()]:
                terminalreporter.line(f"    {name}")
        for mark, number in self._marked.items():
            terminalreporter.line(f"{_counted(number, f'{mark} test')} not run: {APART[mark]}")
        return result


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
