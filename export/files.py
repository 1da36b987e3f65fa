"""The kinds of files: each writes Arrow batches, and takes no more memory than one row group."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

#: Of a row group, in memory: large enough to compress and to skip, small enough for a few at once.
GROUP_BYTES: Final = 16 * 2**20


class Sink(Protocol):
    """A file that is being written."""

    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True)
class Format:
    """A kind of file; `text_arrays`: it has no arrays, so that they are JSON in it."""

    name: str
    media_type: str
    text_arrays: bool

    def open(self, path: Path, schema: pa.Schema) -> Sink:
        """A new file there."""
        sink: Sink
        if self.name == "csv":
            # what is NULL is empty, what is an empty text is "", as PostgreSQL's own COPY writes them
            options = pyarrow.csv.WriteOptions(quoting_style="needed")
            sink = pyarrow.csv.CSVWriter(path, schema, write_options=options)
        else:
            # zstd costs about what snappy costs, for files a third smaller
            sink = pyarrow.parquet.ParquetWriter(path, schema, compression="zstd")
        return sink


FORMATS: Final = {
    "parquet": Format("parquet", "application/vnd.apache.parquet", text_arrays=False),
    "csv": Format("csv", "text/csv", text_arrays=True),
}


@dataclass(frozen=True)
class Written:
    """A file that was written."""

    path: Path
    rows: int
    bytes: int


def write(form: Format, path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Written:
    """Write the batches as they come, a row group at a time. Raises `OSError` and what `batches` raises."""
    rows = 0
    with form.open(path, schema) as sink:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:
            rows += batch.num_rows
            waiting.append(batch)
            if sum(each.nbytes for each in waiting) >= GROUP_BYTES:
                sink.write_table(pa.Table.from_batches(waiting, schema))
                waiting.clear()
        if waiting:
            sink.write_table(pa.Table.from_batches(waiting, schema))
    return Written(path, rows, path.stat().st_size)
