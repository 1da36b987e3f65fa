"""The blocks of append_to_response of a synthetic film, each as JSON."""

from collections.abc import Callable
from datetime import date
from hashlib import shake_128
from typing import Any, Final

import orjson

from demo import reference, words
from demo.draws import MASK, UNIT, pick, scramble
from demo.films import Films, Outline
from demo.reference import MARKETS, PROVIDER_COUNTRIES, TRANSLATED
from demo.slots import UNDATED

_PROVIDERS_IN: Final = {
    country: [(row, kinds) for row, kinds, countries in reference.PROVIDERS if country in countries]
    for country in PROVIDER_COUNTRIES
}
# what follows a person's own keys in a row; none of the texts needs escaping
_CAST: Final = ',"cast_id":%d,"character":"%s","credit_id":"%s","order":%d}'
_JOB: Final = ',"credit_id":"%s","department":"%s","job":"%s"}'
_CREW: Final = [(department, job) for department, jobs in words.JOBS.items() for job in jobs]


def keywords(films: Films, film: Outline) -> bytes:
    """JSON of the block `keywords`: {"keywords": [{"id", "name"}]}, each once."""
    drawn = film.numbers("keywords", 20)
    count = (drawn[0] & 15) + film.versions["keywords"] % 3
    rows = {row["id"]: row for row in map(films.entities.keyword, drawn[1 : 1 + count])}
    return orjson.dumps({"keywords": list(rows.values())})


def credits(films: Films, film: Outline) -> bytes:
    """JSON of the block `credits`: {"cast": [...], "crew": [...]}.

    `credit_id` is unique over all films; a person may stand in several rows: director and writer, actor and
    producer. The rows are written as text: a dictionary for each would cost most of a request's time.
    """
    entities, language = films.entities, film.language
    empty, cast_size, crew_size, jobs_of_director = film.numbers("credits", 4)
    # famous films have long lists; one film in thirty has none
    scale = min(1.0, 0.25 + film.fame / 60)
    there = empty % 30 > 0
    cast_size = there * (2 + int(((cast_size & 63) + 12) * scale) + film.versions["credits"] % 2)
    crew_size = there * (3 + int(((crew_size & 63) + 16) * scale))
    numbers = film.numbers("people", 2 * (cast_size + crew_size))
    drawn = list(zip(numbers[::2], numbers[1::2], strict=True))
    ids_left = iter(_hex_ids(film, "credit-ids", cast_size + crew_size + 4))

    seen: set[int] = set()
    cast: list[bytes] = []
    for at, (person, character) in enumerate(drawn[:cast_size], 3):
        rank = entities.person_rank(person, language)
        if rank not in seen:
            seen.add(rank)
            role = _CAST % (at, _character(character), next(ids_left), len(cast))
            cast.append(entities.person(rank) + role.encode())

    crew = [
        (entities.person_rank(person, language), job)
        for at, (person, number) in enumerate(drawn[cast_size:])
        for job in ([pick(_CREW, number)] if at else _director_jobs(jobs_of_director))
    ]
    if seen and crew and jobs_of_director & 48 == 0:
        crew.append((min(seen), ("Production", "Executive Producer")))
    jobs = (entities.person(rank) + (_JOB % (next(ids_left), *job)).encode() for rank, job in crew)
    return b'{"cast":[%b],"crew":[%b]}' % (b",".join(cast), b",".join(jobs))


def _hex_ids(film: Outline, what: str, count: int) -> list[str]:
    """Ids of 24 hexadecimal digits."""
    digits = shake_128(f"{film.slots.seed}:{what}:{film.film_id}".encode()).hexdigest(12 * count)
    return [digits[at : at + 24] for at in range(0, len(digits), 24)]


def _director_jobs(drawn: int) -> list[tuple[str, str]]:
    jobs = [("Directing", "Director")]
    if drawn & 3 == 0:
        jobs.append(("Writing", "Screenplay"))
    if drawn & 12 == 0:
        jobs.append(("Production", "Producer"))
    return jobs


def _character(drawn: int) -> str:
    if drawn % 9 == 0:
        return pick(words.ROLES, drawn)
    firsts, lasts = words.NAMES["en"]
    first = firsts[(drawn >> 4) % len(firsts)].roman
    return f"{first} {lasts[(drawn >> 12) % len(lasts)].roman}" if drawn & 3 else first


def release_dates(films: Films, film: Outline) -> bytes:
    """{"results": [{"iso_3166_1", "release_dates": [{"certification", "release_date", "type", …}]}]}

    Types are TMDB's: 1 premiere, 2 theatrical (limited), 3 theatrical, 4 digital, 5 physical, 6 TV. Now and
    then one is null or missing.
    """
    if film.flags & UNDATED:
        return b'{"results":[]}'
    home, share = film.countries()[:1], film.share()
    drawn = film.numbers("releases", 3 * (len(MARKETS) + 1))
    results = []
    for at, country in enumerate(dict.fromkeys(home + MARKETS)):
        late, kinds, marks = drawn[3 * at : 3 * at + 3]
        if country not in home and late * UNIT > share:
            continue
        first = film.release if country in home else film.release - 5 + late % 75
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
        certification = (
            "Unrated" if marks % 97 == 0 else pick(reference.CERTIFICATIONS.get(country, [""]), marks)
        )
        releases: list[dict[str, Any]] = [
            {
                "certification": certification if marks & 3 else "",
                "descriptors": ["violence"] if marks & 0xF00 == 0 and kind == 3 else [],
                "iso_639_1": "" if marks & 0x1000 else film.language,
                "note": pick(words.NOTES[kind], scramble(marks, kind)),
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


def watch_providers(films: Films, film: Outline) -> bytes:
    """{"results": {country: {"link", "flatrate": [{"provider_id", "display_priority", …}], "rent": …}}}

    A film is nowhere before it is a month old, one in eight never is. Of the others every provider in every
    country has a film for some weeks or months, then not, then again.
    """
    *drawn, anywhere = film.numbers("providers", len(PROVIDER_COUNTRIES) + 1)
    if film.flags & UNDATED or film.release > film.day - 30 or anywhere & 7 == 0:
        return b'{"results":{}}'
    results, share = {}, film.share()
    for country, seed in zip(PROVIDER_COUNTRIES, drawn, strict=True):
        if seed * UNIT > share:
            continue
        offers: dict[str, Any] = {}
        for row, kinds in _PROVIDERS_IN[country]:
            mix = scramble(seed, row["provider_id"])
            period = 80 + (mix & 127)
            if (film.day + (mix >> 8)) % period * 3 < period:
                for kind in kinds:
                    offers.setdefault(kind, []).append(row)
        if offers:
            link = f"https://www.themoviedb.org/movie/{film.film_id}/watch?locale={country}"
            results[country] = {"link": link, **offers}
    return orjson.dumps({"results": results})


def translations(films: Films, film: Outline) -> bytes:
    """{"translations": [{"iso_3166_1", "iso_639_1", "name", "english_name", "data": {"title", …}}]}

    A title is "" where it is the original one. One film in twelve is in no language but its own.
    """
    payload = films.film(film)
    original = payload["original_title"]
    *drawn, alone = film.numbers("translations", 2 * len(TRANSLATED) + 1)
    share = film.share() if alone % 12 else 0
    rows, own = [], film.language
    for code, chance, seed in zip(TRANSLATED, drawn[::2], drawn[1::2], strict=True):
        language, country = code.split("-")
        english = language == "en" and (own == "en" or (share and payload["title"] != original))
        if language == own:
            own = ""  # once: the others of the language are like any translation
        elif not english and chance * UNIT > share:
            continue
        if language == "en":
            texts = {key: payload[key] for key in ("title", "overview", "tagline", "homepage")}
            if texts["title"] == original:
                texts["title"] = ""
        else:
            texts = dict.fromkeys(("title", "overview", "tagline", "homepage"), "")
            if language != film.language and seed & 7:
                texts["title"] = words.title_in(language, seed, seed * 7 & MASK)
            if language in words.TRANSLATIONS and seed >> 3 & 7:
                overviews, taglines = words.TRANSLATIONS[language]
                version = film.versions["overview"]
                overview = overviews[(seed + version) % len(overviews)]
                texts["overview"] = overview.format(title=texts["title"] or original)
                texts["tagline"] = pick(taglines, scramble(seed, version)) if seed & 8 else ""
        row = {key: reference.LANGUAGE_ROWS[language][key] for key in ("iso_639_1", "name", "english_name")}
        data = {**texts, "runtime": payload["runtime"] or 0}
        rows.append({"iso_3166_1": country, **row, "data": data})
    return orjson.dumps({"translations": rows})


def external_ids(films: Films, film: Outline) -> bytes:
    """{"imdb_id", "wikidata_id", "facebook_id", "instagram_id", "twitter_id"}, each null if unknown."""
    wikidata, *drawn = film.numbers("external", 4)
    slug = f"{pick(words.NOUNS, drawn[0]).lower()}movie{film.film_id}"
    ids = {
        "imdb_id": film.imdb_id(),
        "wikidata_id": f"Q{1_000_000 + wikidata % 130_000_000}" if wikidata & 3 else None,
    }
    for name, seed in zip(("facebook_id", "instagram_id", "twitter_id"), drawn, strict=True):
        ids[name] = slug if seed * UNIT < film.share() else None
    return orjson.dumps(ids)


def alternative_titles(films: Films, film: Outline) -> bytes:
    """{"titles": [{"iso_3166_1", "title", "type"}]}; a country may have several."""
    count, *drawn = film.numbers("alternatives", 13)
    titles = []
    for at, seed in enumerate(drawn[: int(12 * film.share() * (count * UNIT))], 1):
        language, country = pick(TRANSLATED, seed).split("-")
        mix = scramble(seed, at)
        title = words.title_in(language, mix, mix * 7 & MASK) or film.titles()[0] + ": The Movie"
        kind = ("", "", "", "working title", "short title", "romanization")[seed % 6]
        titles.append({"iso_3166_1": country, "title": title, "type": kind})
    return orjson.dumps({"titles": titles})


def videos(films: Films, film: Outline) -> bytes:
    """{"results": [{"key", "name", "official", "published_at", "site", "size", "type", …}]}"""
    *drawn, count = film.numbers("videos", 9)
    drawn = drawn[: int(8 * film.share() * (count * UNIT) + 0.5)]
    results = []
    for seed, video_id in zip(drawn, _hex_ids(film, "video-ids", 8), strict=False):
        if film.release - seed % 200 > film.day:
            continue
        kind = ("Trailer", "Trailer", "Teaser", "Clip", "Featurette", "Behind the Scenes")[seed % 6]
        day = date.fromordinal(film.release - seed % 200)
        results.append(
            {
                "iso_639_1": "en",
                "iso_3166_1": "US",
                "name": f"Official {kind}" if seed & 64 else f"{film.titles()[0]} | {kind}",
                "key": video_id[:11],
                "site": "Vimeo" if seed & 15 == 0 else "YouTube",
                "size": (360, 720, 1080, 1080, 2160)[seed % 5],
                "type": kind,
                "official": seed & 64 > 0,
                "published_at": f"{day}T{seed >> 8 & 15:02}:00:00.000Z",
                "id": video_id,
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
