"""A file of real films, one JSON object a line, served as they are, whatever the day."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from demo.source import BLOCKS, Change, Film, Query, Ranking, Source, Whole, export_row, ranked


class Recorded(Source):
    """Films of a JSON Lines file (`.gz` or plain). The lines are served byte for byte; nothing is filled in.

    Blocks of a line (`credits`, `keywords`, …) come only with append_to_response; such a line is written anew
    without them.

    Raises ValueError, naming file and line, for a line that is no JSON object with a whole-number `id`, and
    for an id that stands twice; OSError where the file cannot be read.
    """

    moves_between_pages = False

    def __init__(self, path: Path) -> None:
        self._bodies: dict[int, bytes] = {}
        self._blocks: dict[int, dict[str, bytes]] = {}
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(map(bytes.strip, lines), 1):
                if line:
                    self._add(line, f"{path}, line {number}")
        if not self._bodies:
            raise ValueError(f"{path} holds no film: it needs one JSON object a line")

    def _add(self, line: bytes, where: str) -> None:
        try:
            film = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"{where}: not JSON ({error})") from error
        film_id = film.get("id") if isinstance(film, dict) else None
        if type(film_id) is not int:
            raise ValueError(f"{where}: not a film: a JSON object with a whole-number `id` is needed")
        if film_id in self._bodies:
            raise ValueError(f"{where}: film {film_id} stands twice in the file")
        blocks = {name: orjson.dumps(film.pop(name)) for name in BLOCKS if name in film}
        self._blocks[film_id] = blocks
        self._bodies[film_id] = orjson.dumps(film) if blocks else line

    def film(self, film_id: int, day: int) -> Film | None:
        return self.listed(film_id, day) if film_id in self._bodies else None

    def body(self, film_id: int, day: int) -> bytes | None:
        return self._bodies.get(film_id)

    def block(self, name: str, film_id: int, day: int) -> bytes | None:
        return self._blocks.get(film_id, {}).get(name)

    def listed(self, film_id: int, day: int) -> Film:
        film: Film = orjson.loads(self._bodies[film_id])
        return film

    def ranking(self, query: Query, day: int) -> Ranking:
        return ranked(query, ((film_id, self._whole(film_id)) for film_id in self._bodies))

    def _whole(self, film_id: int) -> Whole:
        return Whole(self.listed(film_id, 0), self._blocks[film_id].get)

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """None: a file tells of no changes."""
        return []

    def export(self, day: int) -> Iterator[Film]:
        return (export_row(self.listed(film_id, day)) for film_id in sorted(self._bodies))
