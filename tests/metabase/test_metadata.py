"""What is used of dbt-metabase beyond its public names."""

import inspect

import dbtmetabase
import dbtmetabase._models

from metabase import metadata


def test_the_private_sleep_of_dbt_metabase_is_still_called_so() -> None:
    """A version that has renamed it would sleep five seconds in every apply: look for its new name then."""
    assert "time.sleep(_SYNC_PERIOD)" in inspect.getsource(dbtmetabase._models.ModelsMixin.export_models)
    assert dbtmetabase._models._SYNC_PERIOD == 0
    assert issubclass(dbtmetabase.DbtMetabase, dbtmetabase._models.ModelsMixin)


def test_a_model_is_called_without_the_prefix_of_its_kind() -> None:
    assert metadata.display_name("vw_movie_latest") == "Movie latest"
    assert metadata.display_name("orders") == "Orders"
