"""Cards against dbt's models, offline: a renamed model or column is told with file and line."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from metabase import analysis, loader
from metabase.errors import DashboardError, SpecError, UsageError
from metabase.manifest import Manifest, load, parse
from tests.metabase.conftest import PROJECT, Warehouse, edit

SCHEMAS = ("marts", "analytics")


@pytest.fixture
def models(built: Warehouse) -> Manifest:
    """The project's manifest."""
    return built.manifest


def problems(folder: Path, models: Manifest) -> list[str]:
    with pytest.raises(SpecError) as error:
        analysis.check(loader.load(folder), models)
    return [f"{problem.path.name}:{problem.line}: {problem.message}" for problem in error.value.problems]


def test_every_card_is_in_order(models: Manifest) -> None:
    columns = analysis.check(loader.load(), models)
    assert columns["top_films"] == ("Film", "Popularity", "TMDB id")


@pytest.mark.slow
def test_the_project_is_parsed_without_a_database_and_without_the_exposures(
    tmp_path: Path, models: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGHOST", raising=False)
    parsed = parse(tmp_path, PROJECT / "dbt_project", SCHEMAS)
    assert parsed.models == models.models and parsed.variables == models.variables
    assert '"exposures": {}' in (tmp_path / "manifest.json").read_text()
    assert "PGHOST" not in os.environ


@pytest.mark.slow
def test_a_model_renamed_and_renamed_back_is_parsed(tmp_path: Path) -> None:
    """dbt's memory of the last parse then names a model that is gone; nobody need know and delete it."""
    project, kept = tmp_path / "project", tmp_path / "kept"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text(
        "name: small\nprofile: small\nvars: {dashboard_exposures: true}\n"
    )
    output = "{type: postgres, host: h, port: 1, user: u, password: p, dbname: d, schema: s}"
    (project / "profiles.yml").write_text(f"small: {{target: it, outputs: {{it: {output}}}}}\n")
    (project / "models" / "kind.sql").write_text("select 1 as n\n")
    (project / "models" / "top.sql").write_text("select n from {{ ref('kind') }}\n")
    (project / "models" / "_models.yml").write_text(
        "unit_tests:\n  - {name: one, model: kind, given: [], expect: {rows: [{n: 1}]}}\n"
    )
    shutil.copytree(project / "models", kept)
    parse(tmp_path, project, ())
    (project / "models" / "kind.sql").rename(project / "models" / "kinds.sql")
    with pytest.raises(DashboardError, match="'kind' which was not found"):
        parse(tmp_path, project, ())
    (project / "models" / "kinds.sql").rename(project / "models" / "sort.sql")
    for path in (project / "models").iterdir():
        path.write_text(path.read_text().replace("kind", "sort"))
    assert parse(tmp_path, project, ()).others == {"sort", "top"}
    shutil.rmtree(project / "models")
    shutil.copytree(kept, project / "models")
    assert parse(tmp_path, project, ()).others == {"kind", "top"}


def test_a_renamed_model_is_told_wherever_it_is_read(files: Path, models: Manifest) -> None:
    renamed = {("dim_film" if name == "dim_movie" else name): model for name, model in models.models.items()}
    told = problems(files, dataclasses.replace(models, models=renamed))
    assert any(line.startswith("moved_most.sql:22: ref('dim_movie'): the model is unknown") for line in told)
    assert any(line.startswith("chosen_film.sql:9: ") for line in told), "in a snippet, the snippet's line"


def test_a_renamed_column_is_told_wherever_it_is_read(files: Path, models: Manifest) -> None:
    movie = models.models["vw_movie_latest"]
    columns = {("score" if name == "popularity" else name): kind for name, kind in movie.columns.items()}
    changed = {**models.models, "vw_movie_latest": dataclasses.replace(movie, columns=columns)}
    told = problems(files, dataclasses.replace(models, models=changed))
    assert "top_films.sql:5: movie has no column 'popularity'" in told
    assert "top_films.sql:8: movie has no column 'popularity'" in told
    assert any(line.startswith("continent_films.sql:5: ") for line in told), "inside of a CTE"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("movie.title as", "movie.titel as", "3: movie has no column 'titel'; is it 'title'?"),
        ("movie.title as", "film.title as", "3: nothing here is called 'film'"),
        ("movie.title as", "titel as", "3: there is no column 'titel'"),
        (
            "ref('vw_movie_latest')",
            "ref('stg_tmdb__movie_version')",
            "ref('stg_tmdb__movie_version'): the model is not for dashboards",
        ),
        ("{{ ref('vw_movie_latest') }}", "raw.tmdb_response", "raw.tmdb_response is read by its name"),
        ("{{ ref('vw_movie_latest') }}", "marts.dim_movie", "movie has no column 'popularity'"),
        ("limit 10", "limit {{ var('limit') }}", "var('limit') is not in dbt_project.yml"),
        ("select\n", "selct\n", "is no SQL"),
        ("select\n", "delete from x; select\n", "must be one select statement"),
        ('as "Popularity"', 'as "Film"', "returns two columns 'Film'"),
        ('as "Popularity"', "", "graph.metrics of the card 'top_films' names 'Popularity'"),
        ('as "Popularity"', 'as "Score"', "graph.metrics of the card 'top_films' names 'Popularity'"),
    ],
)
def test_what_postgres_would_refuse_is_refused_offline(
    files: Path, models: Manifest, old: str, new: str, message: str
) -> None:
    path = files / "cards" / "top_films.sql"
    path.write_text(
        "select\n"
        "    -- a film\n"
        '    movie.title as "Film",\n'
        '    round(movie.popularity, 1) as "Popularity"\n'
        "from {{ ref('vw_movie_latest') }} as movie\n"
        "where\n"
        "    not movie.is_stale\n"
        "{{ include('film_conditions') }}\n"
        "    [[and movie.vote_count >= {{ min_votes }}]]\n"
        "limit 10\n"
    )
    edit(path, old, new)
    loaded = loader.load(files)
    # the other cards are looked at above
    alone = dataclasses.replace(loaded, cards={"top_films": loaded.cards["top_films"]}, dashboards=())
    with pytest.raises(SpecError) as error:
        analysis.check(alone, models)
    told = [f"{problem.line}: {problem.message}" for problem in error.value.problems]
    assert len(told) <= 4 and any(message in line for line in told), told


def test_a_column_of_two_tables_must_say_whose(files: Path, models: Manifest) -> None:
    path = files / "cards" / "film_title.sql"
    path.write_text(
        'select title as "Film"\n'
        "from {{ ref('vw_top_movies') }} as top\n"
        "inner join {{ ref('dim_movie') }} as movie using (movie_id)\n"
        "where movie_id = {{ film_id }}::bigint\n"
    )
    edit(files / "dashboards" / "film.yml", "type: number/=", "type: number/=\n    default: 7")
    assert problems(files, models) == ["film_title.sql:1: 'title' is a column of top and of movie: say whose"]


def test_a_column_that_a_filter_offers_must_be_there(files: Path, models: Manifest) -> None:
    edit(files / "dashboards" / "overview.yml", "column: Genre}", "column: Kind}")
    assert any("offers 'Kind'" in line for line in problems(files, models))


def test_a_file_that_is_no_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="make dbt"):
        load(tmp_path / "manifest.json", PROJECT / "dbt_project", SCHEMAS)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UsageError, match="no manifest of dbt's"):
        load(tmp_path / "manifest.json", PROJECT / "dbt_project", SCHEMAS)


def test_the_exposures_are_fresh_and_name_exactly_what_the_cards_read(models: Manifest) -> None:
    from metabase import exposures

    loaded = loader.load()
    assert exposures.is_fresh(loaded), "stale: python -m metabase exposures"
    film = next(d for d in loaded.dashboards if d.key == "film")
    assert {"fact_movie_daily", "vw_top_movies", "vw_movie_latest", "dim_date"} <= set(
        exposures.models_of(loaded, film)
    )
    text = (PROJECT / "dbt_project" / "models" / "exposures" / "_dashboards.yml").read_text()
    assert text.count("- name: dashboard_") == 6 and "ref('vw_pipeline_run')" in text
