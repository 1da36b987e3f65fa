"""What the data tests find is stored, told since when, shown in vw_data_quality; hard errors stop the run."""

import datetime as dt
from typing import Any

from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt

DAY = dt.date(2026, 3, 1)
SHOWN = (
    "select status, severity, failing_rows, failures_relation,"
    " failing_since is not null, last_failed_at is not null"
    " from analytics.vw_data_quality where test = '{}'"
)


def film(id_: int, **fields: Any) -> dict[str, Any]:
    """A film without any fault, but for ``fields``."""
    return {
        "id": id_,
        "title": f"Film {id_}",
        "original_language": "en",
        "release_date": "2020-02-02",
        "status": "Released",
        "popularity": 1.5,
        "vote_average": 5.5,
        "vote_count": 3,
        **fields,
    }


def test_soft_failures_are_stored_and_shown_until_they_are_gone(landing_zone: LandingZone, dbt: Dbt) -> None:
    def shown(test: str) -> tuple[Any, ...]:
        return landing_zone.rows(SHOWN.format(test))[0]

    models = ["run", "--select", "+dim_movie", "+vw_data_quality"]
    tests = ["test", "--select", "money_is_plausible", "no_value_is_lost_in_typing"]
    landing_zone.land(DAY, {1: film(1, budget=7, vote_count="many"), 2: film(2)})
    dbt(*models)
    assert dbt(*tests)["money_is_plausible"] == "warn"
    assert shown("money_is_plausible") == ("warn", "warn", 1, "quality.money_is_plausible", True, True)
    assert landing_zone.rows("select movie_id, budget from quality.money_is_plausible") == [(1, 7)]
    assert landing_zone.rows("select movie_id, field, value from quality.no_value_is_lost_in_typing") == [
        (1, "vote_count", "many")
    ]
    since = "select failing_since from analytics.vw_data_quality where test = 'money_is_plausible'"
    first = landing_zone.rows(since)

    dbt(*tests)
    assert landing_zone.rows(since) == first, "the same failure"

    landing_zone.land(DAY + dt.timedelta(days=1), {1: film(1), 2: film(2)})
    dbt(*models)
    dbt(*tests)
    assert shown("money_is_plausible") == ("pass", "warn", 0, None, False, True)
    assert landing_zone.rows("select to_regclass('quality.money_is_plausible')") == [(None,)]


def test_a_hard_failure_stops_what_is_built_on_it(landing_zone: LandingZone, dbt: Dbt) -> None:
    landing_zone.land(DAY, {1: film(1, genres=[{"id": 18, "name": "Drama"}]), 2: film(2)})
    dbt(
        "run",
        "--select",
        "+bridge_movie_genre",
        "+bridge_movie_company",
        "+bridge_movie_country",
        "+bridge_movie_language",
        "+vw_data_quality",
    )
    landing_zone.connection.execute("delete from marts.bridge_movie_genre")
    result = dbt.invoke("test", "--select", "bridges_match_payloads")
    assert not result.success
    assert landing_zone.rows("select movie_id, bridge from quality.bridges_match_payloads") == [
        (1, "bridge_movie_genre")
    ]
    assert landing_zone.rows(SHOWN.format("bridges_match_payloads"))[0][:3] == ("fail", "error", 1)
