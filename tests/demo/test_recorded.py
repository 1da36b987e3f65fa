"""Real films of a file, served as they are."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from demo.recorded import Recorded
from demo.server import StandIn
from tests.demo.client import Api


def _file(path: Path, *films: Any) -> Path:
    path.write_text("\n".join(json.dumps(film) for film in films))
    return path


def test_real_films_come_byte_for_byte_on_241_pages(shared: Path) -> None:
    file = shared / "tmdb" / "movies_5000.jsonl.gz"
    lines = gzip.decompress(file.read_bytes()).splitlines()
    films = [json.loads(line) for line in lines]
    with StandIn(data=file) as stand_in:
        api = Api(stand_in)
        with api.client:
            listed = [
                row["id"]
                for page in range(1, 242)
                for row in api("/discover/movie", page=page).json()["results"]
            ]
            assert listed == [film["id"] for film in sorted(films, key=lambda f: (-f["popularity"], f["id"]))]
            first = api("/discover/movie").json()
            assert (first["total_pages"], first["total_results"]) == (241, 4803)
            assert "poster_path" not in first["results"][0]
            for line, film in list(zip(lines, films, strict=True))[::50]:
                assert api(f"/movie/{film['id']}").content == line
            appended = api(f"/movie/{listed[0]}", append_to_response="credits,keywords").json()
            assert appended["credits"] == {"cast": [], "crew": []}
            assert appended["keywords"] == {"keywords": []}
            assert api("/movie/changes").json()["results"] == []
            exported = stand_in.export_url + f"/movie_ids_{stand_in.today:%m_%d_%Y}.json.gz"
            rows = gzip.decompress(api.client.get(exported).content).decode().splitlines()
            assert [json.loads(row)["id"] for row in rows] == sorted(film["id"] for film in films)


def test_one_snapshot_after_the_other(shared: Path) -> None:
    snapshots = sorted((shared / "tmdb" / "snapshots").glob("*.jsonl.gz"))
    with StandIn(films=1) as stand_in:
        api = Api(stand_in)
        with api.client:
            seen = []
            for snapshot in snapshots:
                stand_in.use(data=snapshot)
                seen.append(api("/movie/278").json()["vote_count"])
    assert len(seen) == 3
    assert seen == sorted(set(seen))


def test_repeats_can_be_switched_on(shared: Path) -> None:
    with StandIn(data=shared / "tmdb" / "movies_5000.jsonl.gz", repeats=0.01) as stand_in:
        api = Api(stand_in)
        with api.client:
            pages = [api("/discover/movie", page=page).json()["results"] for page in range(1, 100)]
    ids = [row["id"] for page in pages for row in page]
    assert 5 < len(ids) - len(set(ids)) < 50


def test_blocks_of_the_file_come_only_when_asked_for(tmp_path: Path) -> None:
    credits = {"cast": [{"id": 1}], "crew": []}
    file = _file(tmp_path / "films.jsonl", {"id": 7, "credits": credits, "title": "T"}, {"id": 8})
    with StandIn(data=file) as stand_in:
        api = Api(stand_in)
        with api.client:
            assert api("/movie/7").json() == {"id": 7, "title": "T"}
            assert api("/movie/7", append_to_response="credits").json()["credits"] == credits
            assert [row["id"] for row in api("/discover/movie").json()["results"]] == [7, 8]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": 1}\n{"id": ', "line 2: not JSON"),
        ('{"id": 1}\n\n[1]', "line 3: not a film"),
        ('{"id": "1"}', "line 1: not a film"),
        ('{"id": 1}\n{"id": 1}', "line 2: film 1 stands twice"),
        ("\n", "holds no film"),
    ],
)
def test_what_cannot_be_served_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "films.jsonl"
    file.write_text(content)
    with pytest.raises(ValueError, match=message) as refused:
        Recorded(file)
    assert str(file) in str(refused.value)
