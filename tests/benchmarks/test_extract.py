"""The comparison compares like with like: all contenders land the same films, or there are no figures."""

from importlib.util import find_spec

import pytest

from benchmarks import extract, landing
from benchmarks.database import BenchWarehouse
from benchmarks.extract import DLT, OURS, SEQUENTIAL, Case, DifferentFilmsError

# dlt belongs to the benchmarks' own lock: where it is installed, it is held to the same
RIVALS = [SEQUENTIAL, *([DLT] if find_spec("dlt") else [])]


@pytest.fixture(autouse=True)
def on_the_tests_server(database: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in database.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
@pytest.mark.parametrize("case", [Case(60, 0, 40), Case(60, 0, 0, first=False)], ids=str)
def test_all_contenders_land_the_same_films(case: Case) -> None:
    figures = extract.run_case(case, [OURS, *RIVALS])
    assert set(figures) == {OURS, *RIVALS}
    for name, figure in figures.items():
        # 60 films and 3 pages; the extractor's three lists are its own
        assert figure.requests >= 63 + 3 * (name == OURS)
        assert figure.cost.cpu > 0 and figure.cost.peak > 10e6


@pytest.mark.slow
def test_films_landed_otherwise_give_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    # as if the extractor had missed every seventh film
    monkeypatch.setattr(extract, "_LANDED", extract._LANDED + " and resource_id % 7 <> 0")
    with pytest.raises(DifferentFilmsError, match="sequential requests landed"):
        extract.run_case(Case(40, 0, 0), [OURS, SEQUENTIAL])


def test_a_case_knows_how_long_it_takes_at_least() -> None:
    assert Case(1_000, 50, 0).at_least(SEQUENTIAL) == pytest.approx(52.5)
    assert Case(1_000, 50, 0).at_least(OURS) == pytest.approx(2.625)
    assert Case(10_000, 0, 40).at_least(DLT) == pytest.approx(262.5)
    assert Case(10_000, 0, 0).at_least(SEQUENTIAL) == 0


@pytest.mark.slow
def test_landing_and_bare_copy_take_the_same_payloads() -> None:
    rows = landing.payloads(50, "credits,keywords")
    with BenchWarehouse("bench_landing") as database:
        assert landing.land(database, rows) > 0
        assert landing.bare_copy(database.connection, rows, alike=True) > 0
        counts = database.connection.execute(
            "select count(*), count(*) filter (where payload ? 'credits'),"
            " (select count(*) from raw.tmdb_response where payload in (table bench_copy)) from bench_copy"
        ).fetchone()
    assert counts == (50, 50, 50)
