"""Every fault does what it claims, as often as asked, and repeatably."""

import gzip
import socket
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import pytest

from demo.faults import KINDS, Faults
from demo.server import StandIn
from tests.demo.client import Api

DAY = 739_000


def _is_error(code: int) -> Callable[[httpx.Response, dict[str, object]], bool]:
    return lambda answer, film: answer.json()["status_code"] == code


def _is_html(answer: httpx.Response, film: dict[str, object]) -> bool:
    return answer.headers["content-type"] == "text/html" and answer.text.startswith("<html>")


def _asks_to_wait(answer: httpx.Response, film: dict[str, object]) -> bool:
    until = parsedate_to_datetime(answer.headers["retry-after"])
    return -1 <= (until - datetime.now(UTC)).total_seconds() <= 3


def _is_json(answer: httpx.Response) -> bool:
    try:
        answer.json()
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "status", "holds"),
    [
        ("500", 500, _is_error(11)),
        ("502", 502, _is_html),
        ("503", 503, _is_html),
        (
            "429",
            429,
            lambda answer, film: answer.headers["retry-after"] == "2" and _is_error(25)(answer, film),
        ),
        ("429-date", 429, _asks_to_wait),
        ("429-bare", 429, lambda answer, film: "retry-after" not in answer.headers and _is_json(answer)),
        ("429-text", 429, lambda answer, film: not _is_json(answer)),
        ("text", 200, lambda answer, film: not _is_json(answer) and "json" in answer.headers["content-type"]),
        ("list", 200, lambda answer, film: isinstance(answer.json(), list)),
        ("error-body", 200, _is_error(11)),
        ("other-film", 200, lambda answer, film: answer.json()["id"] != film["id"]),
        ("nul", 200, lambda answer, film: answer.json() == {**film, "overview": answer.json()["overview"]}),
        ("nul", 200, lambda answer, film: b"\\u0000" in answer.content),
        (
            "content-type",
            200,
            lambda answer, film: answer.json() == film and "html" in answer.headers["content-type"],
        ),
        (
            "huge",
            200,
            lambda answer, film: len(answer.content) == 2**20 and answer.json()["id"] == film["id"],
        ),
        ("huge", 200, lambda answer, film: "content-length" not in answer.headers),
        ("huge-length", 200, lambda answer, film: answer.headers["content-length"] == str(2**20)),
        (
            "redirect",
            302,
            lambda answer, film: answer.headers["location"].startswith("http://192.0.2.1/3/movie/"),
        ),
        ("echo", 500, lambda answer, film: "Bearer demo-token" in answer.text),
    ],
)
def test_answers(
    own: StandIn,
    ask: Api,
    kind: str,
    status: int,
    holds: Callable[[httpx.Response, dict[str, object]], bool],
) -> None:
    film_id = own.ids()[0]
    right = ask(f"/movie/{film_id}").json()
    own.faults = Faults.parse(f"{kind}=1,retry-after=2,huge-mb=1,attempts=1,redirect-to=http://192.0.2.1")
    answer = ask(f"/movie/{film_id}")
    assert answer.status_code == status
    assert holds(answer, right)
    assert own.faults.injected == {kind: 1}
    assert ask(f"/movie/{film_id}").json() == right


BLOCKS = "credits,keywords"


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("blocks-missing", "missing"),
        ("blocks-null", None),
        ("blocks-error", {"success": False, "status_code": 34}),
    ],
)
def test_blocks_that_do_not_come(own: StandIn, ask: Api, kind: str, left: object) -> None:
    own.faults = Faults({kind: 1.0}, attempts=1)
    spoilt: Counter[str] = Counter()
    films = [film_id for film_id in own.ids() if own.film(film_id)][:20]
    for film_id in films:
        answer = ask(f"/movie/{film_id}", append_to_response=BLOCKS)
        right = ask(f"/movie/{film_id}", append_to_response=BLOCKS).json()
        got = answer.json()
        if isinstance(left, dict):
            for name in BLOCKS.split(","):
                got[name].pop("status_message", None)
        names = [name for name in BLOCKS.split(",") if got.get(name, "missing") == left]
        assert answer.status_code == 200 and names
        assert {**got, **{name: right[name] for name in names}} == right
        spoilt.update(names)
    # now one of them, now all
    assert len(films) < spoilt.total() < 2 * len(films)
    assert own.faults.injected == {kind: len(films)}
    # a film asked for without blocks has none to lose
    assert ask(f"/movie/{films[0]}").json() == own.film(films[0])
    assert own.faults.injected == {kind: len(films)}


@pytest.mark.parametrize(
    ("kind", "rows", "total"), [("page-empty", 0, 90), ("page-short", 10, 90), ("page-none", 0, 0)]
)
@pytest.mark.parametrize("path", ["/discover/movie", "/movie/changes"])
def test_pages_that_hold_less_than_they_should(
    own: StandIn, ask: Api, kind: str, rows: int, total: int, path: str
) -> None:
    own.repeats = 0
    for film_id in own.ids():
        own.override(film_id, {"budget": 7}, since=own.today)
    right = ask(path).json()
    own.faults = Faults({kind: 1.0}, attempts=1)
    page = ask(path).json()
    assert len(page["results"]) == (rows and len(right["results"]) // 2)
    assert page["results"] == right["results"][: len(page["results"])]
    assert page["total_results"] == (total and right["total_results"]) and right["total_results"] > 20
    assert ask(path).json() == right


def test_a_packed_body_that_does_not_say_so(own: StandIn, ask: Api) -> None:
    film_id = own.ids()[0]
    for path in (f"/movie/{film_id}", "/discover/movie", "/configuration/countries"):
        own.faults = Faults({"gzip": 1.0}, attempts=1)
        answer, right = ask(path), ask(path)
        assert "content-encoding" not in answer.headers
        assert gzip.decompress(answer.content) == right.content


def _raw(stand_in: StandIn, path: str) -> tuple[bytes, BaseException | None]:
    """What one request gets on a connection of its own until that ends, and how it ends."""
    address = urlsplit(stand_in.base_url)
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        lines = (f"GET /3{path} HTTP/1.1", "Host: x", f"Authorization: Bearer {stand_in.token}", "", "")
        connection.sendall("\r\n".join(lines).encode())
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except OSError as error:
            return received, error
    return received, None


def test_a_reset(own: StandIn) -> None:
    film_id = own.ids()[0]
    own.faults = Faults({"reset": 1.0})
    received, error = _raw(own, f"/movie/{film_id}")
    assert isinstance(error, ConnectionResetError)
    assert received == b""


def test_a_truncated_body(own: StandIn) -> None:
    film_id = own.ids()[0]
    own.faults = Faults({"truncated": 1.0})
    received, error = _raw(own, f"/movie/{film_id}")
    head, _, body = received.partition(b"\r\n\r\n")
    announced = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    assert error is None
    assert 100 < len(body) < announced


def test_a_hang(own: StandIn, ask: Api) -> None:
    film_id = own.ids()[0]
    own.faults = Faults({"hang": 1.0}, attempts=1)
    with pytest.raises(httpx.ReadTimeout):
        ask.client.get(f"/movie/{film_id}", timeout=0.3)
    assert ask(f"/movie/{film_id}").status_code == 200
    for _ in range(100):
        if own.traffic.in_flight == 0:
            break
        time.sleep(0.02)
    # the client that gave up is not held for the rest of the hour
    assert own.traffic.in_flight == 0
    own.faults = Faults({"hang": 1.0}, hang_seconds=0.1)
    assert _raw(own, f"/movie/{film_id}") == (b"", None)


def test_an_export_can_fail_too(own: StandIn) -> None:
    own.faults = Faults.parse("truncated=1,attempts=1,paths=/p/")
    url = f"{own.export_url}/movie_ids_{own.today:%m_%d_%Y}.json.gz"
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url, trust_env=False)
    assert httpx.get(url, trust_env=False).status_code == 200
    own.faults = Faults.parse("503=1,paths=/p/")
    assert httpx.get(url, trust_env=False).status_code == 503


def test_none_by_default(own: StandIn, ask: Api) -> None:
    assert {ask(f"/movie/{film_id}").status_code for film_id in own.ids()} <= {200, 404}
    assert own.faults.injected == {}


def _fates(faults: Faults, requests: int) -> list[str | None]:
    query = "append_to_response=credits"
    return [faults.choose(f"/3/movie/{number}", query, DAY, found=True) for number in range(requests)]


def test_shares_are_kept_and_fates_repeat() -> None:
    text = "500=0.05,reset=0.02"
    fates = _fates(Faults.parse(text, seed=1), 20_000)
    assert 900 < fates.count("500") < 1100
    assert 320 < fates.count("reset") < 480
    assert set(fates) == {None, "500", "reset"}
    assert _fates(Faults.parse(text, seed=1), 20_000) == fates
    assert _fates(Faults.parse(text, seed=2), 20_000) != fates


def test_all_kinds_share_one_rate() -> None:
    faults = Faults.parse("all=0.5")
    fates = _fates(faults, 8_000)
    assert set(fates) == {None, *KINDS} - {"page-empty", "page-short", "page-none"}
    assert 0.40 < sum(fate is not None for fate in fates) / 8_000 < 0.50
    pages = [faults.choose("/3/discover/movie", f"page={n}", DAY, found=True) for n in range(1, 8_000)]
    films_only = {"other-film", "nul", "blocks-missing", "blocks-null", "blocks-error"}
    assert set(pages) == {None, *KINDS} - films_only


def test_a_request_passes_after_some_attempts_unless_its_film_is_lost() -> None:
    faults = Faults.parse("500=1,attempts=4,permanent=7:reset+9:hang")
    fates = [faults.choose("/3/movie/5", "", DAY, found=True) for _ in range(10)]
    assert fates == ["500"] * 4 + [None] + ["500"] * 4 + [None]
    assert [faults.choose("/3/movie/7", "", DAY, found=True) for _ in range(9)] == ["reset"] * 9
    assert [faults.choose("/3/movie/9", "x=1", DAY, found=True) for _ in range(9)] == ["hang"] * 9


def test_a_retry_has_another_fate() -> None:
    faults = Faults.parse("500=0.5")
    fates = [[faults.choose(f"/3/movie/{n}", "", DAY, found=True) for _ in range(2)] for n in range(200)]
    retried = [second for first, second in fates if first == "500"]
    assert 0 < retried.count("500") < len(retried)


def test_faults_fit_their_requests() -> None:
    assert Faults.parse("nul=1").choose("/3/discover/movie", "page=1", DAY, found=True) is None
    assert Faults.parse("other-film=1").choose("/3/movie/5", "", DAY, found=False) is None
    assert Faults.parse("list=1").choose("/3/configuration/countries", "", DAY, found=True) is None
    appended = "append_to_response=credits"
    for kind in ("blocks-missing", "blocks-null", "blocks-error"):
        assert Faults({kind: 1.0}).choose("/3/movie/5", "language=fr", DAY, found=True) is None
        assert Faults({kind: 1.0}).choose("/3/movie/5", appended, DAY, found=True) == kind
        assert Faults(permanent={5: kind}).choose("/3/movie/5", "", DAY, found=True) is None
    assert Faults.parse("page-short=1").choose("/3/movie/5", "", DAY, found=True) is None
    assert Faults.parse("page-short=1").choose("/3/discover/movie", "page=501", DAY, found=False) is None
    assert Faults.parse("500=1,paths=/3/movie/\\d").choose("/3/movie/changes", "", DAY, found=True) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("501=0.1", "no such fault: 501"),
        ("500", "'500' is not of the form NAME=VALUE"),
        ("500=often", "'500=often': could not convert"),
        ("500=0.6,502=0.6", "0 to 1, together too"),
        ("500=-0.1", "0 to 1, together too"),
        ("permanent=5:none", "no such fault: none"),
        ("paths=(", "no regular expression"),
    ],
)
def test_what_is_not_understood_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Faults.parse(text)
