"""The kinds of files, as DuckDB writes them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Format:
    """A kind of file; `options`: of DuckDB's COPY; `typed`: it has dates, arrays and the like as such."""

    name: str
    media_type: str
    typed: bool
    options: str


FORMATS: Final = {
    # zstd costs about what snappy costs, for files a third smaller; a dictionary of values that repeat makes
    # them larger, at a third of the time: none but for a column of one value
    "parquet": Format(
        "parquet",
        "application/vnd.apache.parquet",
        typed=True,
        options="format parquet, compression zstd, dictionary_size_limit 1",
    ),
    # what is NULL is empty, what is an empty text is "", as PostgreSQL's own COPY writes them
    "csv": Format("csv", "text/csv", typed=False, options="format csv, header"),
}


@dataclass(frozen=True)
class Written:
    """A file that was written."""

    path: Path
    rows: int
    bytes: int
