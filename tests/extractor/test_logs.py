"""The log as lines of JSON: every line can be read by a program, and says no more than the text does."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.logs import JsonFormatter, RedactingFormatter
from common.report import Report
from common.secret import Secret
from demo.faults import Faults
from demo.server import StandIn
from tests.extractor.conftest import TOKEN, Program, Zone, on_a_terminal


def read(text: str) -> list[dict[str, Any]]:
    """The lines, each of which must be an object."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    return lines


def test_a_run_logs_an_object_a_line_also_at_debug(program: Program, tmdb: StandIn, zone: Zone) -> None:
    tmdb.faults = Faults({"echo": 0.2}, attempts=1)
    done = program(
        "run",
        *("--log-format", "json", "--progress-seconds", "0.2", "--max-rps", "100"),
        TMDB_LOG_LEVEL="DEBUG",
    )
    assert done.returncode == 0 and done.stdout == ""
    lines = read(done.stderr)
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    assert times == sorted(times) and all(time.utcoffset() == timedelta(0) for time in times)
    assert {line["level"] for line in lines} >= {"DEBUG", "INFO"}
    said = [line["message"] for line in lines]
    assert any(" fetched (" in text for text in said) and any("trying again" in text for text in said)
    (closing,) = [line for line in lines if "run 1 finished" in line["message"]]
    begun = next(number for number, text in enumerate(said) if text.startswith("run 1: mode popular"))
    assert all(line["run_id"] == 1 for line in lines[begun:]) and closing["logger"] == "extractor.landing"
    # the echoed token is masked here as it is in text
    assert TOKEN not in done.stderr and "[redacted]" in done.stderr


@pytest.mark.parametrize(
    ("words", "variables", "code", "message"),
    [
        (("run",), {"TMDB_TOKEN": ""}, 2, "no TMDB_TOKEN is set"),
        (("run", "--page", "3"), {}, 2, "No such option"),
        (("status",), {"PGDATABASE": "nowhere"}, 2, "does not exist"),
        (("prune",), {}, 2, "how many days"),
    ],
)
def test_an_error_is_one_too(
    program: Program, words: tuple[str, ...], variables: dict[str, str], code: int, message: str
) -> None:
    done = program(*words, TMDB_LOG_FORMAT=" JSON ", **variables)
    assert done.returncode == code
    (line,) = read(done.stderr)
    assert message in line["message"] and line["level"] == "ERROR" and "run_id" not in line


def test_a_format_that_there_is_not(program: Program) -> None:
    for done in (program("status", "--log-format", "xml"), program("status", TMDB_LOG_FORMAT="xml")):
        assert done.returncode == 2
        assert "TMDB_LOG_FORMAT='xml' must be one of text, json" in done.stderr


def test_a_terminal_gets_lines_and_no_bar(environment: dict[str, str], project_root: Path) -> None:
    shown = on_a_terminal(["run", "--log-format", "json", "--pages", "1"], project_root, environment)
    assert "run 1 finished" in read(shown.decode())[-1]["message"]


def record(message: str, *arguments: object, fault: BaseException | None = None) -> logging.LogRecord:
    info = (type(fault), fault, fault.__traceback__) if fault else None
    return logging.LogRecord("extractor.x", logging.ERROR, "x.py", 1, message, arguments, info)


def test_secrets_are_masked_whatever_json_makes_of_them() -> None:
    # quoted, this one would not be found any more
    secret = 'to"ken\\with-marks'
    report = Report()
    formatter = JsonFormatter(Secret(secret), Secret("another-one"), report=report)
    try:
        raise ValueError(f"with {secret}\nand another-one")
    except ValueError as error:
        text = formatter.format(record("a\n%s", secret, fault=error))
    (line,) = read(text)
    assert line["message"] == "a\n[redacted]" and "ValueError: with [redacted]" in line["exception"]
    assert "Traceback" in line["exception"] and "another-one" not in text and "run_id" not in line
    report.run_id = 7
    assert json.loads(formatter.format(record("x")))["run_id"] == 7
    # a path's byte that is no UTF-8
    assert json.loads(formatter.format(record("\udcff")))["message"] == "?"


def test_the_clock_of_the_log_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a zone where, at the end of summer time, an hour comes twice."""
    first = record("x")
    first.created = datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert RedactingFormatter().format(first) == "2026-10-25 00:30:00Z ERROR x"
    assert json.loads(JsonFormatter().format(first))["time"] == "2026-10-25T00:30:00.000+00:00"
