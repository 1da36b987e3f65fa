"""Which films, in which language, what of them: asked for, kept with what comes, recorded, shown."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigurationError
from demo.server import StandIn
from extractor import settings
from extractor.answer import BLOCKS, LISTS
from extractor.choice import discover
from extractor.choice.discover import FILTERS
from extractor.choice.films import read_ids
from extractor.errors import InputError, RunFailedError
from tests.extractor.conftest import DAY, Extract, Program, Zone

TOKEN = {"TMDB_TOKEN": "eyJ.some.token"}


def payloads(zone: Zone, resource: str = "movie") -> list[dict[str, Any]]:
    return [
        payload
        for (payload,) in zone.rows(
            "select payload from raw.tmdb_response where resource = %s and http_status = 200", resource
        )
    ]


class TestDiscover:
    def test_only_films_that_pass_are_fetched_and_the_ledger_says_so(
        self, extract: Extract, tmdb: StandIn, zone: Zone, program: Program
    ) -> None:
        extract(pages=2, discover="with_original_language=fr&vote_count.gte=5", region="FR")
        found = payloads(zone)
        assert found and {film["original_language"] for film in found} == {"fr"}
        assert all(film["vote_count"] >= 5 for film in found)
        parameters = zone.last_run()["parameters"]
        assert parameters["discover"] == "with_original_language=fr&vote_count.gte=5"
        assert parameters["region"] == "FR" and parameters["language"] == "en-US"
        shown = program("status").stdout
        assert "with_original_language=fr" in "".join(shown.split()).replace("│", "")

    def test_a_changed_choice_does_not_make_the_old_films_vanish(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=1, discover="with_original_language=fr")
        before = zone.films()
        tmdb.today = DAY + timedelta(days=1)
        extract(pages=1, discover="with_original_language=ja")
        assert before <= zone.films(tmdb.today) | zone.films(tmdb.today, 404)

    def test_a_choice_that_no_film_meets_is_no_success(self, extract: Extract, zone: Zone) -> None:
        with pytest.raises(RunFailedError, match="lists no film at all for TMDB_DISCOVER=year=1895"):
            extract(pages=1, discover="year=1895", max_tries=1)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("page=3", "must not set page: TMDB_PAGES says"),
            ("sort_by=revenue.desc", "must not set sort_by"),
            ("include_adult=true", "must not set include_adult"),
            ("language=fr", "must not set language: .*TMDB_LANGUAGE"),
            ("region=FR", "must not set region: .*TMDB_REGION"),
            ("api_key=abc", "must not set api_key: the token is TMDB_TOKEN"),
            ("with_original_lang=fr", "'with_original_lang', which is no filter of TMDB's"),
            ("vote_count.gte=many", "must set vote_count.gte to a number"),
            ("vote_count.gte=", "must set vote_count.gte to a number"),
            ("with_genres=Drama", "must set with_genres to ids"),
            ("primary_release_date.gte=2020", "must set primary_release_date.gte to a date"),
            ("primary_release_date.gte=2020-02-30", "must set primary_release_date.gte to a date"),
            ("year=20", "must set year to a year"),
            ("with_original_language=french", "must set with_original_language to languages"),
            ("with_origin_country=fr", "must set with_origin_country to countries"),
            ("with_watch_monetization_types=gift", "to some of flatrate"),
            ("with_release_type=7", "must set with_release_type to types from 1 to 6"),
            ("year=2020&year=2021", "must set year once"),
            ("french films", "must be filters like"),
            ("&&", "must be filters like"),
        ],
    )
    def test_what_tmdb_would_not_understand_is_refused_by_name(self, text: str, said: str) -> None:
        with pytest.raises(ConfigurationError, match=f"TMDB_DISCOVER=.*{said}"):
            settings.checked({**TOKEN, "TMDB_DISCOVER": text})

    def test_nothing_was_asked_by_then(self, program: Program, tmdb: StandIn) -> None:
        done = program("run", "--discover", "with_cast=Tom Hanks")
        assert done.returncode == 2 and "must set with_cast to ids" in done.stderr
        assert tmdb.traffic.total == 0

    def test_the_filters_are_those_of_tmdbs_own_description(self, shared: Path) -> None:
        import orjson

        api = orjson.loads((shared / "tmdb" / "openapi.json").read_bytes())
        named = {p["name"] for p in api["paths"]["/3/discover/movie"]["get"]["parameters"]}
        assert set(FILTERS) == named - discover._OURS.keys()
        assert set(discover._OURS) - named == {"api_key", "append_to_response"}

    def test_beyond_page_500_there_are_no_filters(self) -> None:
        with pytest.raises(ConfigurationError, match="TMDB_PAGES must be at most 500 with TMDB_DISCOVER"):
            settings.checked({**TOKEN, "TMDB_DISCOVER": "year=2020", "TMDB_PAGES": "501"})

    def test_another_mode_takes_no_notice_and_says_so(self, program: Program) -> None:
        done = program("run", "--mode", "export", "--limit", "2", "--discover", "year=2020")
        assert done.returncode == 0 and "mode export takes no notice of TMDB_DISCOVER" in done.stderr


class TestIds:
    def test_a_list_of_tmdbs_and_imdbs_ids(
        self, extract: Extract, tmdb: StandIn, zone: Zone, tmp_path: Path
    ) -> None:
        alive = [film for film in tmdb.ids() if tmdb.film(film)]
        by_imdb = next(f for f in alive[10:] if (tmdb.film(f) or {}).get("imdb_id"))
        film = tmdb.film(by_imdb) or {}
        file = tmp_path / "films.txt"
        file.write_text(
            f"\ufeff{alive[3]}  # the best\n\n# seen\n{film['imdb_id']}\n{alive[3]}\n{alive[5]}\n"
        )
        extract(mode="ids", ids_file=file)
        assert zone.films() == {alive[3], by_imdb, alive[5]}
        assert zone.rows("select distinct selected_by from raw.tmdb_response where resource = 'movie'") == [
            ("ids",)
        ]
        run = zone.last_run()
        assert (run["mode"], run["parameters"]["ids_file"]) == ("ids", str(file))
        assert zone.one(
            "select bool_and(payload ? 'credits') from raw.tmdb_response where resource = 'movie'"
        )

    def test_an_id_that_leads_to_no_film_is_a_failure_with_its_line(
        self, extract: Extract, tmdb: StandIn, zone: Zone, tmp_path: Path
    ) -> None:
        file = tmp_path / "films.txt"
        file.write_text("\n".join(map(str, tmdb.ids()[:150])) + "\ntt9999999\n")
        extract(mode="ids", ids_file=file)
        assert zone.rows("select resource, resource_id, reason, detail from raw.extract_failure") == [
            ("ids_file", 151, "not_at_tmdb", "line 151: TMDB knows no film by IMDb's id tt9999999")
        ]
        assert zone.last_run()["status"] == "finished"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("603\nThe Matrix\n604\ntt12\n", r"line 2 \('The Matrix'\), line 4 \('tt12'\) are no id"),
            ("-5\n", r"line 1 \('-5'\) is no id"),
            ("0\n", "line 1"),
            ("9999999999\n", "line 1"),
            ("603,604\n", "line 1"),
            ("\n# nothing\n", "names no film"),
            ("", "names no film"),
        ],
    )
    def test_bad_lines_are_named_with_their_number(self, tmp_path: Path, text: str, said: str) -> None:
        file = tmp_path / "films.txt"
        file.write_text(text)
        with pytest.raises(InputError, match=said) as told:
            read_ids(file)
        assert told.value.exit_code == 2

    def test_a_file_that_cannot_be_read(self, program: Program, tmdb: StandIn, tmp_path: Path) -> None:
        for file, said in ((tmp_path, "Is a directory"), (tmp_path / "no.txt", "No such file")):
            done = program("run", "--mode", "ids", "--ids-file", str(file))
            assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
        (tmp_path / "latin.txt").write_bytes("603 # Amélie\n".encode("latin-1"))
        done = program("run", "--mode", "ids", "--ids-file", str(tmp_path / "latin.txt"))
        assert done.returncode == 2 and "is no text in UTF-8" in done.stderr
        assert tmdb.traffic.count("/3/movie/") == 0

    def test_the_mode_needs_its_list(self) -> None:
        with pytest.raises(ConfigurationError, match="TMDB_MODE=ids needs a list of films: TMDB_IDS_FILE"):
            settings.checked({**TOKEN, "TMDB_MODE": "ids"})


class TestLanguage:
    def test_films_and_lists_come_in_it_and_are_kept_with_it(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=1, language="fr-FR")
        assert zone.rows("select distinct language from raw.tmdb_response where resource = 'movie'") == [
            ("fr-FR",)
        ]
        by_list = dict(
            zone.rows("select resource, language from raw.tmdb_response where resource <> 'movie'")
        )
        assert by_list == {name: "fr-FR" if kind.in_language else None for name, kind in LISTS.items()}
        (genres,) = payloads(zone, "genre_list")
        assert "Comédie" in {genre["name"] for genre in genres["genres"]}
        assert zone.last_run()["parameters"]["language"] == "fr-FR"
        tmdb.today = DAY + timedelta(days=1)
        extract(pages=1)
        assert zone.rows(
            "select distinct language from raw.tmdb_response where resource = 'movie' and snapshot_date = %s",
            tmdb.today,
        ) == [(None,)]

    def test_it_survives_a_dump_and_a_load(
        self, extract: Extract, zone: Zone, program: Program, tmp_path: Path
    ) -> None:
        extract(pages=1, language="fr")
        query = "select resource, resource_id, language from raw.tmdb_response order by 1, 2"
        before = zone.rows(query)
        assert program("dump", str(tmp_path / "all.jsonl.gz")).returncode == 0
        zone.execute("drop schema raw cascade")
        assert program("load", str(tmp_path / "all.jsonl.gz")).returncode == 0
        assert zone.rows(query) == before

    @pytest.mark.parametrize("language", ["french", "fr-fr", "FR", "fr_FR"])
    def test_what_is_no_language(self, language: str) -> None:
        with pytest.raises(ConfigurationError, match=r"TMDB_LANGUAGE=.* must be a language like fr or fr-FR"):
            settings.checked({**TOKEN, "TMDB_LANGUAGE": language})

    @pytest.mark.parametrize("region", ["France", "fr", "FRA"])
    def test_what_is_no_region(self, region: str) -> None:
        with pytest.raises(ConfigurationError, match=r"TMDB_REGION=.* must be a country like FR"):
            settings.checked({**TOKEN, "TMDB_REGION": region})


class TestBlocks:
    def test_those_asked_for_come_and_no_other(self, extract: Extract, tmdb: StandIn, zone: Zone) -> None:
        extract(pages=1, blocks="videos,alternative_titles")
        for payload in payloads(zone):
            assert payload.keys() & BLOCKS.keys() == {"videos", "alternative_titles"}
        lists = {
            name for (name,) in zone.rows("select resource from raw.tmdb_response where resource_id = 0")
        }
        assert lists == {"genre_list", "country_list", "language_list"}

    def test_a_block_that_is_wanted_now_is_asked_for_at_once(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        tmdb.repeats = 0.0
        extract(pages=1, blocks="credits")
        tmdb.today = DAY + timedelta(days=1)
        extract(pages=1, blocks="credits,videos")
        assert zone.one(
            "select bool_and(payload ? 'videos') from raw.tmdb_response where resource = 'movie'"
            " and http_status = 200 and snapshot_date = %s",
            tmdb.today,
        )
        # and not again, but for the films whose own day it is
        tmdb.today = DAY + timedelta(days=2)
        extract(pages=1, blocks="videos,credits")
        again = zone.one(
            "select count(*) from raw.tmdb_response where payload ? 'videos' and snapshot_date = %s",
            tmdb.today,
        )
        assert again < 10

    def test_fewer_blocks_on_the_same_day_take_none_away(
        self, extract: Extract, tmdb: StandIn, zone: Zone
    ) -> None:
        extract(pages=1)
        before = zone.fingerprint()
        extract(pages=1, blocks="credits")
        assert [row for row in zone.fingerprint() if row[0] == "movie"] == [
            row for row in before if row[0] == "movie"
        ]
        assert zone.last_run()["kept"] == len(zone.films())

    def test_none_at_all(self, extract: Extract, tmdb: StandIn, zone: Zone) -> None:
        extract(pages=1, blocks="none")
        assert not any(payload.keys() & BLOCKS.keys() for payload in payloads(zone))
        tmdb.today = DAY + timedelta(days=1)
        extract(pages=1, blocks="none", track_days=0)
        assert zone.last_run()["status"] == "finished"

    def test_one_that_there_is_not(self) -> None:
        with pytest.raises(ConfigurationError, match=r"TMDB_BLOCKS=.* some of credits, .* \(not 'casts'\)"):
            settings.checked({**TOKEN, "TMDB_BLOCKS": "credits,casts"})
