"""A file of real films, one JSON object a line, served as they are, whatever the day."""

import gzip
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import orjson

from demo.query import Query
from demo.source import BLOCKS, LISTED_MAX, Change, Film, Ranking, export_row


class Recorded:
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
            for number, line in enumerate(lines, 1):
                line = line.strip()
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
        if blocks:
            self._blocks[film_id] = blocks
            line = orjson.dumps(film)
        self._bodies[film_id] = line

    def body(self, film_id: int, day: int) -> bytes | None:
        """The film's line."""
        return self._bodies.get(film_id)

    def film(self, film_id: int, day: int) -> Film | None:
        """The film's line, parsed."""
        body = self._bodies.get(film_id)
        return None if body is None else orjson.loads(body)

    def block(self, name: str, film_id: int, day: int) -> bytes | None:
        """JSON of the block, if the film's line has it."""
        return self._blocks.get(film_id, {}).get(name)

    def listed(self, film_id: int, day: int) -> Film:
        """The film's line, parsed."""
        film: Film = orjson.loads(self._bodies[film_id])
        return film

    def ranking(self, query: Query, day: int) -> Ranking:
        """The ids of the films that match, in order."""
        films = (self.listed(film_id, day) for film_id in self._bodies)
        if query.blocks:
            films = (film | self._parsed(film["id"], query.blocks) for film in films)
        found = [film for film in films if query.matches(film)]
        found.sort(key=query.sort_key)
        return Ranking([film["id"] for film in found[:LISTED_MAX]], len(found))

    def _parsed(self, film_id: int, names: Collection[str]) -> Film:
        return {name: orjson.loads(self.block(name, film_id, 0) or BLOCKS[name]) for name in names}

    def changes(self, first: int, last: int) -> Sequence[Change]:
        """None: a file tells of no changes."""
        return []

    def export(self, day: int) -> Iterator[Film]:
        """Every film by id, with the keys of the export that it lacks as false or empty."""
        for film_id in sorted(self._bodies):
            yield export_row(self.listed(film_id, day))
