"""A disk that is full while dbt builds: what was there stays, and the next build takes up what was missed.

Tried on a real one, a file system of 160 MB: the day's build failed in its first models, and the marts were
as before. Here the server refuses one table's rows as it does then.
"""

import datetime as dt

import pytest

from tests.dbt_project.conftest import LandingZone
from tests.dbt_project.runner import Dbt, statuses
from tests.dbt_project.test_increment import DAY, FILMS

FACTS = ("run", "--select", "+fact_movie_daily")

FILL = """
    create function fill() returns trigger language plpgsql as $$ begin
        raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
    end $$;
    create trigger fill before insert on marts.fact_movie_daily execute function fill()
"""


def marts(zone: LandingZone) -> list[object]:
    """The facts, and how far each model has come."""
    return [
        zone.rows("select date_id, movie_id, popularity, load_id from marts.fact_movie_daily order by 1, 2"),
        zone.rows("select load_id from ops.watermark where relation = 'fact_movie_daily'"),
    ]


@pytest.mark.slow
def test_the_facts_stay_as_they_were_and_the_next_build_goes_on(landing_zone: LandingZone, dbt: Dbt) -> None:
    landing_zone.land(DAY, FILMS)
    dbt(*FACTS)
    before = marts(landing_zone)
    next_day = DAY + dt.timedelta(days=1)
    landing_zone.land(next_day, FILMS)
    landing_zone.connection.execute(FILL.encode())

    result = dbt.invoke(*FACTS)
    assert not result.success and statuses(result)["fact_movie_daily"] == "error"
    assert "No space left on device" in str(result.result.results)
    assert marts(landing_zone) == before

    landing_zone.connection.execute("drop function fill cascade")
    dbt(*FACTS)
    assert landing_zone.rows(
        "select date_id, count(*) from marts.fact_movie_daily group by 1 order by 1"
    ) == [
        (DAY, len(FILMS)),
        (next_day, len(FILMS)),
    ]
