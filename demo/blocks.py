"""The blocks of append_to_response of a synthetic film, each as JSON."""

from collections.abc import Callable
from datetime import date
from hashlib import shake_128
from typing import Any, Final

import orjson

from demo import words
from demo.draws import MASK, UNIT, numbers, pick, scramble
from demo.films import Films, Outline
from demo.reference import (
    CERTIFICATIONS,
    LANGUAGE_ROWS,
    MARKETS,
    PROVIDER_COUNTRIES,
    PROVIDERS,
    TRANSLATED,
)
from demo.slots import UNDATED

#: What is noted of a release, by its type.
_TYPE_NOTES: Final = {
    1: ["Cannes Film Festival", "Berlin International Film Festival", "Los Angeles, California", ""],
    2: ["Limited", "", "Festival circuit"],
    3: ["", "", "", "IMAX"],
    4: ["Nimbus", "Riverbox", "VOD", ""],
    5: ["Blu-ray", "DVD", "Blu-ray & DVD", ""],
    6: ["Canal Nord", "Fjordkino", ""],
}

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


def _share(films: Films, outline: Outline) -> float:
    """How much of the world knows the film: 0.1 to 0.95."""
    return min(0.95, 0.1 + films.slots.fame[outline.slot] / 40)


def release_dates(films: Films, outline: Outline) -> bytes:
    """{"results": [{"iso_3166_1", "release_dates": [{"certification", "release_date", "type", …}]}]}

    Types are TMDB's: 1 premiere, 2 theatrical (limited), 3 theatrical, 4 digital, 5 physical, 6 TV. Now and
    then one is null or missing.
    """
    slots, film_id = films.slots, outline.film_id
    if slots.flags[outline.slot] & UNDATED:
        return b'{"results":[]}'
    release, share = slots.release_day(outline.slot, outline.day), _share(films, outline)
    home = films.countries(outline)[:1]
    drawn = numbers(f"{slots.seed}:releases:{film_id}", 3 * (len(MARKETS) + 1))
    results = []
    for at, country in enumerate(dict.fromkeys(home + MARKETS)):
        late, kinds, marks = drawn[3 * at : 3 * at + 3]
        if country not in home and late * UNIT > share:
            continue
        first = release if country in home else release - 5 + late % 75
        days = [
            (first + later, kind)
            for kind, there, later in (
                (1, kinds & 7 == 0, -10 - kinds % 30),
                (2, kinds >> 3 & 7 == 0, -7),
                (3, True, 0),
                (3, kinds >> 6 & 15 == 0, 5),
                (4, kinds >> 10 & 3 > 0, 45 + kinds % 80),
                (5, kinds >> 12 & 3 == 0, 90 + kinds % 120),
                (6, kinds >> 14 & 15 == 0, 400),
            )
            if there
        ]
        certifications = CERTIFICATIONS.get(country, [""])
        certification = (
            "" if marks & 3 == 0 else "Unrated" if marks % 97 == 0 else pick(certifications, marks)
        )
        releases: list[dict[str, Any]] = [
            {
                "certification": certification,
                "descriptors": ["violence"] if marks & 0xF00 == 0 and kind == 3 else [],
                "iso_639_1": "" if marks & 0x1000 else outline.language,
                "note": pick(_TYPE_NOTES[kind], scramble(marks, kind)),
                "release_date": f"{date.fromordinal(day)}T00:00:00.000Z",
                "type": kind,
            }
            for day, kind in days
        ]
        if marks % 300 == 7:
            releases[-1]["type"] = None
        elif marks % 300 == 8:
            del releases[-1]["type"]
        results.append({"iso_3166_1": country, "release_dates": releases})
    return orjson.dumps({"results": results})


def watch_providers(films: Films, outline: Outline) -> bytes:
    """{"results": {country: {"link", "flatrate": [{"provider_id", "display_priority", …}], "rent": …}}}

    A film is nowhere before it is a month old, one in eight never is. Of the others every provider in every
    country has a film for some weeks or months, then not, then again.
    """
    slots, film_id, day = films.slots, outline.film_id, outline.day
    drawn = numbers(f"{slots.seed}:providers:{film_id}", len(PROVIDER_COUNTRIES) + 1)
    old_enough = not slots.flags[outline.slot] & UNDATED and slots.release_day(outline.slot, day) <= day - 30
    share = _share(films, outline) if old_enough and drawn[-1] & 7 else 0
    results = {}
    for country, seed in zip(PROVIDER_COUNTRIES, drawn, strict=False):
        if seed * UNIT > share:
            continue
        offers: dict[str, Any] = {
            "link": f"https://www.themoviedb.org/movie/{film_id}/watch?locale={country}"
        }
        for provider in PROVIDERS:
            if country not in provider.countries:
                continue
            mix = scramble(seed, provider.row["provider_id"])
            period = 80 + (mix & 127)
            if (day + (mix >> 8)) % period * 3 < period:
                for kind in provider.kinds:
                    offers.setdefault(kind, []).append(provider.row)
        if len(offers) > 1:
            results[country] = offers
    return orjson.dumps({"results": results})


def translations(films: Films, outline: Outline) -> bytes:
    """{"translations": [{"iso_3166_1", "iso_639_1", "name", "english_name", "data": {"title", …}}]}

    A title is "" where it is the original one. One film in twelve is in no language but its own.
    """
    film = films.film(outline)
    drawn = numbers(f"{films.slots.seed}:translations:{outline.film_id}", 2 * len(TRANSLATED) + 1)
    share = 0 if drawn[-1] % 12 == 0 else _share(films, outline)
    rows, own = [], outline.language
    for at, code in enumerate(TRANSLATED):
        language, country = code.split("-")
        chance, seed = drawn[2 * at : 2 * at + 2]
        english = language == "en" and (own == "en" or (share and film["title"] != film["original_title"]))
        if language == own:
            own = ""  # once: the others of the language are like any translation
        elif not english and chance * UNIT > share:
            continue
        texts = {key: film[key] for key in ("title", "overview", "tagline", "homepage")}
        if language != "en":
            title = _title_in(language, seed) if language != outline.language and seed & 7 else ""
            texts = {"title": title, "overview": "", "tagline": "", "homepage": ""}
            if language in words.TRANSLATIONS and seed >> 3 & 7:
                said = words.TRANSLATIONS[language]
                version = outline.versions["overview"]
                overview = said.overviews[(seed + version) % len(said.overviews)]
                texts["overview"] = overview.format(title=title or film["original_title"])
                texts["tagline"] = pick(said.taglines, scramble(seed, version)) if seed & 8 else ""
        elif texts["title"] == film["original_title"]:
            texts["title"] = ""
        row = LANGUAGE_ROWS[language]
        rows.append(
            {
                "iso_3166_1": country,
                "iso_639_1": language,
                "name": row["name"],
                "english_name": row["english_name"],
                "data": {**texts, "runtime": film["runtime"] or 0},
            }
        )
    return orjson.dumps({"translations": rows})


def _title_in(language: str, seed: int) -> str:
    phrases = words.PHRASES.get(language)
    return (
        ""
        if phrases is None
        else pick(phrases.heads, seed) + phrases.joint + pick(phrases.tails, seed * 7 & MASK)
    )


def external_ids(films: Films, outline: Outline) -> bytes:
    """{"imdb_id", "wikidata_id", "facebook_id", "instagram_id", "twitter_id"}, each null if unknown."""
    film_id, share = outline.film_id, _share(films, outline)
    drawn = numbers(f"{films.slots.seed}:external:{film_id}", 4)
    slug = f"{pick(words.NOUNS, drawn[1]).lower()}movie{film_id}"
    ids = {
        "imdb_id": films.imdb_id(outline),
        "wikidata_id": f"Q{1_000_000 + drawn[0] % 130_000_000}" if drawn[0] & 3 else None,
    }
    for name, seed in zip(("facebook_id", "instagram_id", "twitter_id"), drawn[1:], strict=True):
        ids[name] = slug if seed * UNIT < share else None
    return orjson.dumps(ids)


def alternative_titles(films: Films, outline: Outline) -> bytes:
    """{"titles": [{"iso_3166_1", "title", "type"}]}; a country may have several."""
    drawn = numbers(f"{films.slots.seed}:alternatives:{outline.film_id}", 13)
    titles = []
    for at in range(1, 1 + int(12 * _share(films, outline) * (drawn[0] * UNIT))):
        language, country = pick(TRANSLATED, drawn[at]).split("-")
        title = _title_in(language, scramble(drawn[at], at)) or films.titles(outline)[0] + ": The Movie"
        kind = ("", "", "", "working title", "short title", "romanization")[drawn[at] % 6]
        titles.append({"iso_3166_1": country, "title": title, "type": kind})
    return orjson.dumps({"titles": titles})


def videos(films: Films, outline: Outline) -> bytes:
    """{"results": [{"key", "name", "official", "published_at", "site", "size", "type", …}]}"""
    slots, film_id = films.slots, outline.film_id
    drawn = numbers(f"{slots.seed}:videos:{film_id}", 9)
    release = slots.release_day(outline.slot, outline.day)
    ids = shake_128(f"{slots.seed}:video-ids:{film_id}".encode()).hexdigest(12 * 8)
    results = []
    for at in range(int(8 * _share(films, outline) * (drawn[8] * UNIT) + 0.5)):
        seed = drawn[at]
        day = date.fromordinal(release - seed % 200)
        if day.toordinal() > outline.day:
            continue
        kind = ("Trailer", "Trailer", "Teaser", "Clip", "Featurette", "Behind the Scenes")[seed % 6]
        results.append(
            {
                "iso_639_1": "en",
                "iso_3166_1": "US",
                "name": f"Official {kind}" if seed & 64 else f"{films.titles(outline)[0]} | {kind}",
                "key": ids[24 * at : 24 * at + 11],
                "site": "Vimeo" if seed & 15 == 0 else "YouTube",
                "size": (360, 720, 1080, 1080, 2160)[seed % 5],
                "type": kind,
                "official": seed & 64 > 0,
                "published_at": f"{day}T{seed >> 8 & 15:02}:00:00.000Z",
                "id": ids[24 * at : 24 * at + 24],
            }
        )
    return orjson.dumps({"results": results})


#: How each block is made.
MAKERS: Final[dict[str, Callable[[Films, Outline], bytes]]] = {
    "credits": credits,
    "keywords": keywords,
    "release_dates": release_dates,
    "watch/providers": watch_providers,
    "translations": translations,
    "external_ids": external_ids,
    "alternative_titles": alternative_titles,
    "videos": videos,
}
