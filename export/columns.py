"""From PostgreSQL's types to those of the files and of the data package, without losing a digit."""

import re
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from common.errors import ConfigurationError

# What a file has as it is, with the data package's type. Whatever is not here becomes its text.
_NATIVE: Final = {
    "boolean": "boolean",
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "real": "number",
    "double precision": "number",
    "text": "string",
    "date": "date",
    "timestamp with time zone": "datetime",
    "timestamp without time zone": "datetime",
}
_ARRAY_MEMBERS: Final = set(_NATIVE) - {"date", "timestamp with time zone", "timestamp without time zone"}
#: Digits of the widest decimal that Parquet's readers share.
_MOST_DIGITS: Final = 38
#: How the message of `guarded` ends, by which it is known again.
REFUSED: Final = ", which no file can hold"


@dataclass(frozen=True)
class Column:
    """A column as it is in PostgreSQL (`type` as `format_type` writes it) and as it comes into a file."""

    name: str
    type: str

    @property
    def package_type(self) -> str:
        """The data package's name of the type."""
        if self.type.endswith("[]"):
            return "array"
        if self.decimal:
            return "number"
        return {"json": "any", "jsonb": "any"}.get(self.type) or _NATIVE.get(self.type, "string")

    @property
    def decimal(self) -> tuple[int, int] | None:
        """Digits of a numeric, and those of them behind the point; none for other types and wider ones.

        Raises `ConfigurationError` for a numeric without precision.
        """
        if not self.type.startswith("numeric") or self.type.endswith("[]"):
            return None
        matched = re.fullmatch(r"numeric\((\d+),(-?\d+)\)", self.type)
        if not matched:
            raise ConfigurationError(
                f"{self.name} is numeric without precision, which no file type holds exactly:"
                " give it one in the model's contract, such as numeric(14, 6)"
            )
        precision, scale = int(matched[1]), int(matched[2])
        # PostgreSQL allows numeric(3,5), 0.00123, and numeric(3,-2), 12300
        precision, scale = max(precision - min(scale, 0), scale), max(scale, 0)
        return (precision, scale) if precision <= _MOST_DIGITS else None

    def expression(self, *, typed: bool) -> sql.Composable:
        """How it is selected; not `typed`: for files of text, in which an array is JSON."""
        name = sql.Identifier(self.name)
        if self.type.endswith("[]"):
            if not typed:
                return sql.SQL("to_json({})::text").format(name)
            return name if self.type[:-2] in _ARRAY_MEMBERS else sql.SQL("{}::text[]").format(name)
        if self.decimal:
            return self._guarded("{0} = 'NaN'", "numeric({},{})".format(*self.decimal))
        if self.package_type in ("date", "datetime"):
            # most readers' days are of the years 1 to 9999; infinity is none of them
            guarded = self._guarded("{0} < '0001-01-01' or {0} >= '10000-01-01'", self.type)
            if typed or self.type == "date":
                return guarded
            zone = '"Z"' if "with time zone" in self.type else ""
            return sql.SQL("to_char({}, {})").format(guarded, f"YYYY-MM-DD HH24:MI:SS.US{zone}")
        return name if self.type in _NATIVE or self.type == "uuid" else sql.SQL("{}::text").format(name)

    @property
    def written(self) -> str:
        """How DuckDB takes it over. Few readers know a uuid, and its text is cheaper made there than sent."""
        name = sql.Identifier(self.name).as_string()
        return f"{name}::varchar as {name}" if self.type == "uuid" else name

    def _guarded(self, refused: str, kind: str) -> sql.Composable:
        """The column; a value that is `refused` ends the query with a message that says so.

        DuckDB would make 0 of NaN and another day of infinity, without a word. PostgreSQL has no function
        that fails with a message, but quotes a text that is no value of the type.
        """
        return sql.SQL(
            "case when " + refused + " then ({1} || {0} || {2})::" + kind + " else {0}::" + kind + " end"
        ).format(sql.Identifier(self.name), f"{self.name} holds ", REFUSED)
