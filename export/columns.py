"""From PostgreSQL's types to Arrow's and the data package's, without losing a digit."""

import re
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from common.errors import ConfigurationError, ProgramError

# What the driver reads as it is, with the data package's type. Whatever is not here is read as its text.
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

# Python's dates, and with them most readers', are of the years 1 to 9999; infinity is none of them.
_FIRST_DAY: Final = -719_162
_LAST_DAY: Final = 2_932_896
_DAY_MICROSECONDS: Final = 86_400_000_000


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
        if self.type.startswith("numeric"):
            return "number"
        return {"json": "any", "jsonb": "any"}.get(self.type) or _NATIVE.get(self.type, "string")

    @property
    def decimal(self) -> pa.DataType | None:
        """The Arrow type of a numeric: as many digits, at the same place; none for other types.

        Raises `ConfigurationError` for a numeric that no Arrow type holds.
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
        if precision > 76:
            raise ConfigurationError(f"{self.name} is {self.type}, and files hold no more than 76 digits")
        return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)

    def expression(self, *, text_arrays: bool) -> sql.Composed:
        """How it is selected; `text_arrays`: arrays as JSON, for files that have none."""
        name = sql.Identifier(self.name)
        if self.type.endswith("[]"):
            if text_arrays:
                return sql.SQL("to_json({0})::text as {0}").format(name)
            if self.type[:-2] not in _ARRAY_MEMBERS:
                return sql.SQL("{0}::text[] as {0}").format(name)
        elif self.type not in _NATIVE:
            # numeric too: the driver would make text of it, but several times slower than PostgreSQL
            return sql.SQL("{0}::text as {0}").format(name)
        return sql.Composed([name])

    def converted(self, array: pa.Array) -> pa.Array:
        """What was read of it, as it is written. Raises `ProgramError` for a value that no file holds."""
        decimal = self.decimal
        if decimal is not None:
            try:
                return array.cast(decimal)
            except pa.ArrowInvalid as error:
                raise ProgramError(f"{self.name}: {error}") from error
        if self.type == "date" or self.type.startswith("timestamp"):
            self._check_dates(array)
        return array

    def _check_dates(self, array: pa.Array) -> None:
        """The driver makes another day of infinity, without a word."""
        unit = 1 if self.type == "date" else _DAY_MICROSECONDS
        plain = array.view(pa.int32() if self.type == "date" else pa.int64())
        bounds = pc.min_max(plain)
        low, high = bounds["min"].as_py(), bounds["max"].as_py()
        if low is not None and not (_FIRST_DAY * unit <= low and high < (_LAST_DAY + 1) * unit):
            raise ProgramError(
                f"{self.name} holds infinity, or a day that is not in the years 1 to 9999: files can't"
            )
