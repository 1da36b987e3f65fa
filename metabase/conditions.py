"""The condition that Metabase writes for a filter on a column, as PostgreSQL takes it."""

import datetime as dt
import re
from collections.abc import Sequence
from itertools import count

from metabase.errors import UsageError
from metabase.template import Value

_UNITS = {"day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year"}
_SPAN = re.compile(r"(past|next|this)(\d*)(day|week|month|quarter|year)s?(~)?")
_DATE = r"\d{4}-\d{2}-\d{2}"
_LIKE = {
    "string/contains": "%{}%",
    "string/does-not-contain": "%{}%",
    "string/starts-with": "{}%",
    "string/ends-with": "%{}",
}


def problem(widget: str, value: Value | Sequence[Value]) -> str | None:
    """What is wrong with a value for a filter of this type; None: nothing."""
    values = _listed(value)
    if not values:
        return "is empty"
    if widget == "number/between":
        return None if len(values) == 2 and all(map(_is_number, values)) else "must be two numbers"
    if widget in ("number/>=", "number/<=") and len(values) > 1:
        return "must be one number"
    if widget.startswith("number/"):
        return None if all(map(_is_number, values)) else "is no number"
    if widget.startswith("string/"):
        return None if all(isinstance(one, str) for one in values) else "is no text"
    if len(values) == 1 and _bounds("x", str(values[0])) is not None and isinstance(values[0], str):
        return None
    return "is no date or span of dates (2026-01-31, 2026-01-01~2026-01-31, 2026-01, Q1-2026, past30days)"


def condition(
    column: str, widget: str, value: Value | Sequence[Value] | None, name: str
) -> tuple[str, dict[str, Value]]:
    """The condition on a column, and psycopg's parameters for it, named after `name`.

    Without a value it is true, as in Metabase. Raises `UsageError` for a value that the type does not take.
    """
    values = _listed(value)
    if not values:
        return "true", {}
    wrong = problem(widget, values)
    if wrong:
        raise UsageError(f"{name}: {value!r} {wrong}")
    numbers = count(1)
    parameters: dict[str, Value] = {}

    def put(one: Value) -> str:
        key = f"{name}__{next(numbers)}"
        parameters[key] = one
        return f"%({key})s"

    if widget.startswith("date/"):
        return str(_bounds(column, str(values[0]))), {}
    if widget in ("string/=", "number/="):
        return f"{column} in ({', '.join(map(put, values))})", parameters
    if widget in ("string/!=", "number/!="):
        return f"({column} is null or {column} not in ({', '.join(map(put, values))}))", parameters
    if widget == "number/between":
        return f"{column} between {put(values[0])} and {put(values[1])}", parameters
    if widget in ("number/>=", "number/<="):
        return f"{column} {widget.removeprefix('number/')} {put(values[0])}", parameters
    likes = [f"lower({column}) like lower({put(_LIKE[widget].format(_escaped(str(one))))})" for one in values]
    if widget == "string/does-not-contain":
        return f"({column} is null or not ({' or '.join(likes)}))", parameters
    return f"({' or '.join(likes)})", parameters


def _listed(value: Value | Sequence[Value] | None) -> list[Value]:
    if value is None:
        return []
    return [value] if isinstance(value, str | int | float) else list(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _bounds(column: str, text: str) -> str | None:
    """A span of dates as Metabase writes it, as a condition; None for something else."""
    if _is_date(text):
        return f"{column} = date '{text}'"
    first, tilde, last = text.partition("~")
    if tilde and all(part == "" or _is_date(part) for part in (first, last)) and (first or last):
        parts = [f"{column} >= date '{first}'"] if first else []
        return " and ".join([*parts, *([f"{column} < date '{last}' + 1"] if last else [])])
    month = re.fullmatch(r"(\d{4}-(?:0[1-9]|1[0-2]))", text)
    if month:
        start = f"date '{month[1]}-01'"
        return f"{column} >= {start} and {column} < {start} + interval '1 month'"
    quarter = re.fullmatch(r"Q([1-4])-(\d{4})", text)
    if quarter:
        start = f"date '{quarter[2]}-{3 * int(quarter[1]) - 2:02}-01'"
        return f"{column} >= {start} and {column} < {start} + interval '3 months'"
    span = _SPAN.fullmatch(text)
    if span and (span[1] == "this") == (span[2] == ""):
        direction, amount, unit, whole = span[1], int(span[2] or 0), _UNITS[span[3]], bool(span[4])
        now = f"date_trunc('{unit}', current_date)"
        step = f"{amount} * interval '{'3 months' if unit == 'quarter' else '1 ' + unit}'"
        one = f"interval '{'3 months' if unit == 'quarter' else '1 ' + unit}'"
        # `~`: with the day, week … that today is in
        if direction == "this":
            return f"{column} >= {now} and {column} < {now} + {one}"
        if direction == "past":
            return f"{column} >= {now} - {step} and {column} < {now}{' + ' + one if whole else ''}"
        return f"{column} >= {now}{'' if whole else ' + ' + one} and {column} < {now} + {one} + {step}"
    return None


def _is_date(text: str) -> bool:
    try:
        return bool(re.fullmatch(_DATE, text)) and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False
