"""Cast, crew and keywords of a synthetic film: the blocks of append_to_response."""

from hashlib import shake_128
from typing import Any, Final

from demo import words
from demo.draws import numbers, pick
from demo.films import Films, Outline

#: How often a department stands in a crew, by number of its jobs.
_CREW: Final = [(department, job) for department, jobs in words.JOBS.items() for job in jobs]
_WHOLE_NAMES: Final = (
    "Self",
    "Narrator",
    "Self (archive footage)",
    "",
    "Doctor",
    "The Stranger",
    "Radio Voice (voice)",
)


def keywords(films: Films, outline: Outline) -> dict[str, Any]:
    """The block `keywords`: {"keywords": [{"id", "name"}]}, each once."""
    drawn = numbers(f"{films.slots.seed}:keywords:{outline.film_id}", 20)
    count = (drawn[0] & 15) + outline.versions["keywords"] % 3
    rows = {row["id"]: row for row in map(films.entities.keyword, drawn[1 : 1 + count])}
    return {"keywords": list(rows.values())}


def credits(films: Films, outline: Outline) -> dict[str, Any]:
    """The block `credits`: {"cast": [...], "crew": [...]}.

    `credit_id` is unique over all films; a person may stand in several rows: director and writer, actor and
    producer.
    """
    entities, seed = films.entities, films.slots.seed
    version = outline.versions["credits"]
    sizes = numbers(f"{seed}:credits:{outline.film_id}", 4)
    # famous films have long lists; one film in thirty has none
    scale = min(1.0, 0.25 + films.slots.fame[outline.slot] / 60)
    empty = sizes[0] % 30 == 0
    cast_size = 0 if empty else 2 + int(((sizes[1] & 63) + 12) * scale) + version % 2
    crew_size = 0 if empty else 3 + int(((sizes[2] & 63) + 16) * scale)
    drawn = numbers(f"{seed}:people:{outline.film_id}", 2 * (cast_size + crew_size) + 4)
    ids = shake_128(f"{seed}:credit-ids:{outline.film_id}".encode()).hexdigest(
        12 * (cast_size + crew_size + 4)
    )

    cast: list[dict[str, Any]] = []
    seen: set[int] = set()
    for at in range(cast_size):
        rank = entities.person_rank(drawn[2 * at], outline.language)
        if rank in seen:
            continue
        seen.add(rank)
        row = dict(entities.person(rank))
        row["cast_id"] = at + 3
        row["character"] = _character(drawn[2 * at + 1])
        row["credit_id"] = ids[24 * at : 24 * at + 24]
        row["order"] = len(cast)
        cast.append(row)

    crew: list[dict[str, Any]] = []

    def add(rank: int, department: str, job: str) -> None:
        at = cast_size + len(crew)
        row = dict(entities.person(rank))
        row["credit_id"] = ids[24 * at : 24 * at + 24]
        row["department"] = department
        row["job"] = job
        crew.append(row)

    for at in range(cast_size, cast_size + crew_size):
        rank = entities.person_rank(drawn[2 * at], outline.language)
        if at == cast_size:
            add(rank, "Directing", "Director")
            if sizes[3] & 3 == 0:
                add(rank, "Writing", "Screenplay")
            if sizes[3] & 12 == 0:
                add(rank, "Production", "Producer")
            if sizes[3] & 48 == 0 and seen:
                add(min(seen), "Production", "Executive Producer")
        else:
            add(rank, *pick(_CREW, drawn[2 * at + 1]))
    return {"cast": cast, "crew": crew}


def _character(drawn: int) -> str:
    if drawn % 9 == 0:
        return pick(_WHOLE_NAMES, drawn)
    names = words.NAMES["en"]
    first = names.first[(drawn >> 4) % len(names.first)].roman
    if drawn & 3 == 0:
        return first
    return f"{first} {names.last[(drawn >> 12) % len(names.last)].roman}"
