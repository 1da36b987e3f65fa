"""Mode export: the daily id file."""

import gzip
import json
import random
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from demo.faults import Faults
from demo.server import StandIn
from extractor.choice.export import parse
from extractor.errors import RunFailedError, SourceError
from tests.extractor.conftest import DAY, Extract, Zone
from tests.left_out import slow_but


class Files:
    """A file store that serves what the test puts into `files`, and remembers what it was asked, and how."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                store.asked.append(self.path.rpartition("/")[2])
                store.headers.append({name.lower(): value for name, value in self.headers.items()})
                body = store.files.get(store.asked[-1])
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/p/exports"

    def put(self, day: date, lines: list[bytes] | bytes) -> None:
        """The export of a day: lines, or the file itself."""
        packed = (
            lines if isinstance(lines, bytes) else gzip.compress(b"".join(line + b"\n" for line in lines))
        )
        self.files[f"movie_ids_{day:%m_%d_%Y}.json.gz"] = packed


@pytest.fixture
def files() -> Iterator[Files]:
    store = Files()
    thread = Thread(target=store.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield store
    store.server.shutdown()
    thread.join()
    store.server.server_close()


@pytest.fixture
def line(tmdb: StandIn) -> Callable[..., bytes]:
    """A line of the export for one of the stand-in's films."""

    def make(film: int, popularity: float = 1.0, **more: object) -> bytes:
        row = {"adult": False, "id": film, "original_title": "…", "popularity": popularity, "video": False}
        return json.dumps(row | more).encode()

    return make


def landed(zone: Zone, day: date = DAY) -> set[int]:
    return zone.films(day) | zone.films(day, 404)


def test_the_whole_catalogue_is_landed(extract: Extract, tmdb: StandIn, zone: Zone) -> None:
    extract(mode="export")
    # discover also lists a film that TMDB no longer has; the export does not
    assert {film for film in tmdb.ids() if tmdb.film(film)} <= landed(zone)
    assert zone.one("select distinct selected_by from raw.tmdb_response where resource = 'movie'") == "export"
    assert zone.last_run()["mode"] == "export"
    assert tmdb.traffic.count("/3/discover") == 0
    zone.assert_counts_are_true()


def test_the_top_by_popularity(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    films = list(range(1, 200))
    files.put(DAY, [line(film, (film * 37 % 199) + 0.0001 * film) for film in films])
    extract(mode="export", limit=20, export_url=files.url)
    expected = sorted(films, key=lambda film: -((film * 37 % 199) + 0.0001 * film))[:20]
    assert landed(zone) == set(expected)


def test_the_most_popular_are_fetched_first(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes], tmdb: StandIn
) -> None:
    files.put(DAY, [line(film, 1000.0 - film) for film in range(1, 60)])
    extract(mode="export", export_url=files.url, max_connections=1)
    asked = [int(path[9:]) for path in tmdb.traffic.paths if path.startswith("/3/movie/")]
    assert asked == list(range(1, 60))


def test_only_films_of_a_popularity(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    files.put(DAY, [line(1, 5.0), line(2, 4.9999), line(3, 0), line(4, 5.0001)])
    extract(mode="export", min_popularity=5, export_url=files.url)
    assert landed(zone) == {1, 4}


def test_adult_films_and_repeated_lines_are_left_out(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    files.put(DAY, [line(1), line(1, 9.0), line(2, adult=True), line(3, adult=None)])
    extract(mode="export", export_url=files.url)
    assert landed(zone) == {1, 3}
    assert zone.last_run()["requested"] == 2 + 6


def test_before_the_days_file_is_ready_that_of_the_day_before_is_taken(
    extract: Extract,
    zone: Zone,
    files: Files,
    line: Callable[..., bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    files.put(DAY - timedelta(days=2), [line(5)])
    extract(mode="export", export_url=files.url)
    assert landed(zone) == {5}
    assert files.asked == [f"movie_ids_08_{day}_2026.json.gz" for day in (20, 19, 18)]
    assert "there is no id export of 2026-08-20: took that of 2026-08-18" in caplog.text


def test_the_file_store_never_sees_the_token(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    files.put(DAY, [line(5)])
    extract(mode="export", export_url=files.url)
    assert files.headers and all("authorization" not in headers for headers in files.headers)


def test_without_any_file_the_message_names_the_files(extract: Extract, files: Files) -> None:
    with pytest.raises(SourceError, match=r"movie_ids_08_20_2026\.json\.gz.*movie_ids_08_17_2026"):
        extract(mode="export", export_url=files.url)


def test_a_few_broken_lines_are_recorded_and_the_rest_is_fetched(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    broken = [
        b'{"id":',
        b'{"adult":false}',
        b'{"id":"7","popularity":1}',
        b"[]",
        b'{"id":-4}',
        b'{"id":99999999999}',
    ]
    files.put(DAY, [*(line(film) for film in range(1, 60)), *broken, b"", b"\r"])
    with pytest.raises(Exception, match="export_line"):
        extract(mode="export", export_url=files.url)
    assert landed(zone) == set(range(1, 60))
    rows = zone.rows("select resource_id, reason, body from raw.extract_failure order by 1")
    assert [(number, reason) for number, reason, _ in rows] == [(60 + n, "not_a_film") for n in range(6)]
    assert bytes(rows[0][2]).strip() == broken[0]
    zone.assert_counts_are_true()


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(gzip.compress(b"<html>maintenance</html>\n" * 20), id="other lines"),
        pytest.param(gzip.compress(b"<html>maintenance</html>\n" * 3), id="a few other lines"),
        pytest.param(gzip.compress(b""), id="empty"),
        pytest.param(gzip.compress(b"x" * 3_000_000), id="one endless line"),
    ],
)
def test_a_file_that_is_no_export_ends_the_run(
    extract: Extract, zone: Zone, files: Files, file: bytes
) -> None:
    files.put(DAY, file)
    with pytest.raises(SourceError, match=r"not what it should be.*Check TMDB_EXPORT_URL"):
        extract(mode="export", export_url=files.url)
    run = zone.last_run()
    assert run["status"] == "failed" and "not what it should be" in run["error"]


def test_a_damaged_file_is_asked_for_again(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    files.put(DAY, gzip.compress(line(1) * 1000)[:-20])
    with pytest.raises(SourceError, match="came damaged 2 times"):
        extract(mode="export", export_url=files.url, max_tries=2)
    assert len(files.asked) == 2


def test_a_server_that_has_no_export_is_named_with_what_to_do(extract: Extract, tmdb: StandIn) -> None:
    tmdb.faults = Faults({"500": 1.0}, attempts=99, paths="/p/exports/")
    with pytest.raises(SourceError, match=r"cannot download the id export .*Check TMDB_EXPORT_URL"):
        extract(mode="export", max_tries=1)


def test_a_file_that_something_on_the_way_has_unpacked(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    files.put(DAY, b"\n".join(line(film) for film in range(1, 4)))
    extract(mode="export", export_url=files.url)
    assert landed(zone) == {1, 2, 3}


def test_nothing_chosen_is_no_success(
    extract: Extract, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    files.put(DAY, [line(film) for film in range(1, 4)])
    with pytest.raises(RunFailedError, match="no film was chosen: none has TMDB_MIN_POPULARITY=1000"):
        extract(mode="export", export_url=files.url, min_popularity=1000)
    assert zone.last_run()["status"] == "failed"


def test_an_export_much_shorter_than_the_last_is_no_whole_catalogue(
    extract: Extract, tmdb: StandIn, zone: Zone, files: Files, line: Callable[..., bytes]
) -> None:
    files.put(DAY, [line(film, 60.0 - film) for film in range(1, 51)])
    extract(mode="export", export_url=files.url)
    tmdb.today = next_day = DAY + timedelta(days=1)
    files.put(next_day, [line(film, 60.0 - film) for film in range(1, 20)])
    with pytest.raises(RunFailedError, match=r"names 19 films, and a run before asked for 5\d"):
        extract(mode="export", export_url=files.url)
    assert landed(zone, next_day) == set(range(1, 20))
    extract(mode="export", export_url=files.url, limit=5)
    extract(mode="export", export_url=files.url, min_popularity=55)


def test_a_short_export_behind_discovers_pages_is_told(
    extract: Extract,
    tmdb: StandIn,
    zone: Zone,
    files: Files,
    line: Callable[..., bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("extractor.choice.films.LAST_PAGE", 2)
    tmdb.repeats = 0.0
    files.put(DAY, [line(film) for film in tmdb.ids()[40:60]])
    with pytest.raises(RunFailedError, match="named 60 films, and discover's own total promises 100"):
        extract(pages=5, export_url=files.url)
    assert len(landed(zone)) == 60


def test_a_large_catalogue_takes_some_bytes_a_film() -> None:
    films = 60_000
    chance = random.Random(11)
    rows = [(film, chance.choice([0.0, chance.paretovariate(1)])) for film in range(1, films + 1)]
    lines = b"".join(b'{"adult":false,"id":%d,"popularity":%.4f}\n' % row for row in rows)
    with tempfile.TemporaryFile() as file:
        file.write(gzip.compress(lines, 1))
        tracemalloc.start()
        try:
            export = parse(file, DAY, None, 0.0)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert list(export.ids) == [
        film for film, _ in sorted(rows, key=lambda row: (-round(row[1] * 10_000), row[0]))
    ]
    # two arrays of eight bytes, one piece while it is sorted, and buffers; a list of them would be twice that
    assert peak < films * 50 + (2 << 20)


@pytest.mark.parametrize("kind", slow_but(1, ["truncated", "500", "503", "reset", "text"]))
def test_the_download_survives_faults(extract: Extract, tmdb: StandIn, zone: Zone, kind: str) -> None:
    tmdb.faults = Faults({kind: 1.0}, attempts=2, paths="/p/exports/")
    extract(mode="export", limit=30)
    assert tmdb.faults.injected[kind] == 2
    assert len(landed(zone)) == 30
