"""Cast, crew and keywords of a synthetic film: the blocks of append_to_response."""

from hashlib import shake_128
from typing import Final

import orjson

from demo import words
from demo.draws import numbers, pick
from demo.films import Films, Outline

# what follows a person's own keys in a row; none of the texts needs escaping
_CAST: Final = ',"cast_id":%d,"character":"%s","credit_id":"%s","order":%d}'
_JOB: Final = ',"credit_id":"%s","department":"%s","job":"%s"}'
_CREW: Final = [(department, job) for department, jobs in words.JOBS.items() for job in jobs]
_ROLES: Final = (
    "Self",
    "Narrator",
    "Self (archive footage)",
    "",
    "Doctor",
    "The Stranger",
    "Radio Voice (voice)",
)


def keywords(films: Films, outline: Outline) -> bytes:
    """JSON of the block `keywords`: {"keywords": [{"id", "name"}]}, each once."""
    drawn = numbers(f"{films.slots.seed}:keywords:{outline.film_id}", 20)
    count = (drawn[0] & 15) + outline.versions["keywords"] % 3
    rows = {row["id"]: row for row in map(films.entities.keyword, drawn[1 : 1 + count])}
    return orjson.dumps({"keywords": list(rows.values())})


def credits(films: Films, outline: Outline) -> bytes:
    """JSON of the block `credits`: {"cast": [...], "crew": [...]}.

    `credit_id` is unique over all films; a person may stand in several rows: director and writer, actor and
    producer. The rows are written as text: a dictionary for each would cost most of a request's time.
    """
    entities, seed, language = films.entities, films.slots.seed, outline.language
    sizes = numbers(f"{seed}:credits:{outline.film_id}", 4)
    # famous films have long lists; one film in thirty has none
    scale = min(1.0, 0.25 + films.slots.fame[outline.slot] / 60)
    empty = sizes[0] % 30 == 0
    cast_size = 0 if empty else 2 + int(((sizes[1] & 63) + 12) * scale) + outline.versions["credits"] % 2
    crew_size = 0 if empty else 3 + int(((sizes[2] & 63) + 16) * scale)
    drawn = numbers(f"{seed}:people:{outline.film_id}", 2 * (cast_size + crew_size))
    ids = shake_128(f"{seed}:credit-ids:{outline.film_id}".encode()).hexdigest(
        12 * (cast_size + crew_size + 4)
    )
    ids_left = (ids[at : at + 24] for at in range(0, len(ids), 24))

    seen: set[int] = set()
    cast: list[bytes] = []
    for at in range(cast_size):
        rank = entities.person_rank(drawn[2 * at], language)
        if rank not in seen:
            seen.add(rank)
            role = _CAST % (at + 3, _character(drawn[2 * at + 1]), next(ids_left), len(cast))
            cast.append(entities.person(rank) + role.encode())

    crew: list[bytes] = []
    for at in range(crew_size):
        rank = entities.person_rank(drawn[2 * (cast_size + at)], language)
        jobs = [pick(_CREW, drawn[2 * (cast_size + at) + 1])] if at else _director_jobs(sizes[3])
        crew += [entities.person(rank) + (_JOB % (next(ids_left), *job)).encode() for job in jobs]
    if seen and crew and sizes[3] & 48 == 0:
        role = _JOB % (next(ids_left), "Production", "Executive Producer")
        crew.append(entities.person(min(seen)) + role.encode())
    return b'{"cast":[%b],"crew":[%b]}' % (b",".join(cast), b",".join(crew))


def _director_jobs(drawn: int) -> list[tuple[str, str]]:
    jobs = [("Directing", "Director")]
    if drawn & 3 == 0:
        jobs.append(("Writing", "Screenplay"))
    if drawn & 12 == 0:
        jobs.append(("Production", "Producer"))
    return jobs


def _character(drawn: int) -> str:
    if drawn % 9 == 0:
        return pick(_ROLES, drawn)
    names = words.NAMES["en"]
    first = names.first[(drawn >> 4) % len(names.first)].roman
    if drawn & 3 == 0:
        return first
    return f"{first} {names.last[(drawn >> 12) % len(names.last)].roman}"
