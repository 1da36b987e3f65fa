"""Dashboards to a Metabase as strict as the real one: made, left alone, put back, renamed, archived."""

from collections.abc import Callable

import pytest

from metabase.errors import DashboardError, UsageError
from tests.metabase.conftest import EMAIL, PASSWORD, Applying, edit
from tests.metabase.fake import Refused

Serve = Callable[..., Applying]


@pytest.mark.parametrize("version", [58, 62, 63, 65])
def test_a_fresh_server_gets_everything_and_a_second_apply_writes_nothing(serve: Serve, version: int) -> None:
    applying = serve(version)
    applying.server.booting = 4
    reconciler = applying.apply()
    server = applying.server
    assert server.users == {EMAIL: PASSWORD}
    assert {d["name"] for d in server.dashboards.values()} == {
        *("Overview", "Film", "Genres and countries", "Companies", "Pipeline health")
    }
    if version == 65:
        assert applying.run_cards(reconciler) == []

    again = applying.apply()
    assert applying.writes == [] and again.changes == [] and again.others == []
    assert server.revisions == {("dashboard", id_): 1 for id_ in server.dashboards}


def test_the_second_server_is_the_same(serve: Serve) -> None:
    first, second = serve(), serve()
    first.apply()
    second.apply()
    assert first.server.dashboards.keys() == second.server.dashboards.keys()
    for one, other in zip(first.server.cards.values(), second.server.cards.values(), strict=True):
        assert one["dataset_query"] == other["dataset_query"]


def test_a_plan_writes_nothing_and_says_what_apply_then_does(serve: Serve) -> None:
    applying = serve()
    applying.client()
    planned = applying.apply(planning=True)
    assert applying.writes == []
    done = applying.apply()
    # what is known of the tables can only be told when they were synced
    told = [change.what for change in planned.changes]
    assert told == [
        c.what
        for c in done.changes
        if c.what.split()[0] not in ("table", "field") and not c.what.endswith(": sync the schema")
    ]

    edit(applying.files / "cards" / "films.sql", "count(*)", "count(distinct film_day.popularity)")
    change = applying.apply(planning=True).changes
    assert applying.writes == []
    assert [str(c) for c in change] == [
        "~ card TMDB/Cards/Overview/Films\n"
        "    dataset_query.sql:\n"
        '      -    count(*) as "Films"\n'
        '      +    count(distinct film_day.popularity) as "Films"'
    ]


CARD, DASHBOARD, COLLECTION = "card", "dashboard", "collection"
EDITS = [
    ("cards/films.sql", "count(*)", "count(1)", CARD, "Films"),
    ("cards/snippets/chosen_film.sql", "-- the film", "-- That film", CARD, None),
    (
        "dashboards/overview.yml",
        "name: Mean rating\n",
        "name: Mean rating\n    previous_names: [X]\n",
        None,
        None,
    ),
    ("dashboards/overview.yml", "compared with the\n      snapshot date before.", "compared.", CARD, "Films"),
    ("dashboards/overview.yml", "display: smartscalar", "display: scalar", CARD, "Films"),
    ("dashboards/overview.yml", "{decimals: 2}", "{decimals: 3}", CARD, "Mean rating"),
    ("dashboards/overview.yml", "graph.show_values: true", "graph.show_values: false", CARD, "Top films"),
    ("dashboards/overview.yml", "width: full", "width: fixed", DASHBOARD, "Overview"),
    ("dashboards/overview.yml", "For anyone who", "For all who", DASHBOARD, "Overview"),
    ("dashboards/overview.yml", "name: Votes at least", "name: At least so many votes", None, None),
    (
        "dashboards/overview.yml",
        "row: 32, col: 0, width: 24",
        "row: 33, col: 1, width: 9",
        DASHBOARD,
        "Overview",
    ),
    ("dashboards/overview.yml", "This product uses", "This uses", DASHBOARD, "Overview"),
    ("dashboards/overview.yml", "{card: genre_names, column: Genre}", "[Drama]", DASHBOARD, "Overview"),
    ("dashboards/film.yml", "title: Rating", "title: Stars", DASHBOARD, "Film"),
    ("dashboards/film.yml", "search: true", "search: false", DASHBOARD, "Film"),
    ("dashboards/genres_and_countries.yml", "- name: Languages\n", "- name: Tongues\n", DASHBOARD, None),
    (
        "dashboards/genres_and_countries.yml",
        "{card: language_bars",
        "{filters: {genre: null}, card: language_bars",
        DASHBOARD,
        None,
    ),
    ("metabase.yml", "The questions that", "All questions that", COLLECTION, "Cards"),
]


@pytest.mark.parametrize(("file", "old", "new", "kind", "name"), EDITS)
def test_every_edit_of_a_file_gives_the_one_write(
    applied: Applying, file: str, old: str, new: str, kind: str | None, name: str | None
) -> None:
    edit(applied.files / file, old, new)
    expected = 0 if kind is None else 1
    if "At least so many" in new:
        expected = 8 + 1  # the name of a filter is that of the template tag in each card that takes it, too
    if "chosen_film" in file:
        expected = 8  # the cards that include it
    applied.apply()
    assert len(applied.writes) == expected
    assert all(method == "PUT" for method, _ in applied.writes)
    if kind and name:
        assert applied.writes == [("PUT", f"/api/{kind}/{applied.server.named(kind, name)['id']}")]
    applied.apply()
    assert applied.writes == []


def test_a_default_reaches_dashboard_and_cards(applied: Applying) -> None:
    """Cards that can't run without the value have it too, for when they are looked at alone."""
    edit(applied.files / "dashboards" / "companies.yml", "default: 3", "default: 4")
    applied.apply()
    companies = applied.server.named("dashboard", "Companies")
    assert companies["parameters"][-1]["default"] == [4] and companies["parameters"][-1]["required"] is True
    assert len(applied.writes) == 6
    card = applied.server.named("card", "Companies")
    assert card["dataset_query"]["tags"]["min_films"]["default"] == 4


def test_ids_of_places_tabs_and_filters_are_kept(applied: Applying) -> None:
    before = applied.server.named("dashboard", "Genres and countries")
    path = applied.files / "dashboards" / "genres_and_countries.yml"
    edit(path, "row: 0, col: 0, width: 12, height: 8", "row: 0, col: 0, width: 11, height: 8")
    edit(path, "  - name: Languages", "  - name: Original languages")
    line = "      - {card: continent_films, at: {row: 0, col: 15, width: 9, height: 9}}\n"
    edit(path, line, "")
    edit(
        path,
        "      - {card: language_bars",
        line.replace("row: 0", "row: 40") + "      - {card: language_bars",
    )
    applied.apply()
    after = applied.server.named("dashboard", "Genres and countries")
    assert {d["id"] for d in before["dashcards"]} == {d["id"] for d in after["dashcards"]}
    assert [t["id"] for t in before["tabs"]] == [t["id"] for t in after["tabs"]]
    assert before["parameters"] == after["parameters"]
    moved = applied.server.named("card", "Films by continent")["id"]
    assert [d["dashboard_tab_id"] for d in after["dashcards"] if d["card_id"] == moved] == [
        after["tabs"][2]["id"]
    ]


def test_what_somebody_changed_by_hand_is_put_back(applied: Applying) -> None:
    server = applied.server
    films, overview = server.named("card", "Films"), server.named("dashboard", "Overview")
    server.cards[films["id"]] |= {"display": "table", "visualization_settings": {"table.pivot": True}}
    server.cards[films["id"]]["dataset_query"]["sql"] = "select 1"
    kept = dict(server.dashboards[overview["id"]]["dashcards"][0])
    server.dashboards[overview["id"]]["dashcards"][0]["row"] = 17
    server.dashboards[overview["id"]]["dashcards"].pop()
    server.dashboards[overview["id"]]["parameters"][0]["name"] = "Kind"
    extra = kept | {"id": 123456, "card_id": server.named("card", "Runs")["id"]}
    server.dashboards[overview["id"]]["dashcards"].append(extra)

    reconciler = applied.apply()
    assert sorted(applied.writes) == [
        ("PUT", f"/api/card/{films['id']}"),
        ("PUT", f"/api/dashboard/{overview['id']}"),
    ]
    told = "\n".join(map(str, reconciler.changes))
    assert "card films: row" not in told and "row: 17 → 0" in told and "- card run_table" in told
    assert server.named("card", "Films")["dataset_query"] == films["dataset_query"]
    after = server.named("dashboard", "Overview")
    assert kept in after["dashcards"] and len(after["dashcards"]) == len(overview["dashcards"])
    applied.apply()
    assert applied.writes == []


def test_what_is_described_in_dbt_is_described_in_metabase(applied: Applying) -> None:
    server = applied.server
    tables = {f"{t['schema']}.{t['name']}": t for t in server.tables.values()}
    assert set(t.split(".")[0] for t in tables) == {"marts", "analytics"}
    assert tables["marts.dim_movie"]["description"].startswith("One row per film")

    def field(table: str, name: str) -> dict[str, object]:
        return next(
            f for f in server.fields.values() if f["table_id"] == tables[table]["id"] and f["name"] == name
        )

    key, reference = field("marts.dim_movie", "movie_id"), field("marts.fact_movie_daily", "movie_id")
    assert key["semantic_type"] == "type/PK" and reference["semantic_type"] == "type/FK"
    assert reference["fk_target_field_id"] == key["id"]
    assert field("marts.dim_genre", "genre_id")["semantic_type"] == "type/PK"
    assert field("analytics.vw_movie_latest", "revenue")["semantic_type"] == "type/Income"
    assert "0 to 10" in str(field("analytics.vw_top_movies", "vote_average")["description"])

    reference["description"] = "somebody's"
    applied.apply()
    assert applied.writes == [("PUT", f"/api/field/{reference['id']}")]


def test_a_renamed_card_dashboard_and_collection_keep_their_ids(applied: Applying) -> None:
    server = applied.server
    card, board = server.named("card", "Films"), server.named("dashboard", "Overview")
    collection = server.named("collection", "Film")
    path = applied.files / "dashboards" / "overview.yml"
    edit(path, "name: Films\n", "name: All films\n    previous_names: [Films]\n")
    edit(path, "name: Overview\n", "name: Today\nprevious_names: [Overview]\n")
    edit(
        applied.files / "metabase.yml", "TMDB/Cards/Film: {}", "TMDB/Cards/One film: {previous_names: [Film]}"
    )
    edit(applied.files / "dashboards" / "film.yml", "TMDB/Cards/Film", "TMDB/Cards/One film")
    reconciler = applied.apply(prune=True)
    assert sorted(applied.writes) == sorted(
        [
            ("PUT", f"/api/card/{card['id']}"),
            ("PUT", f"/api/dashboard/{board['id']}"),
            ("PUT", f"/api/collection/{collection['id']}"),
        ]
    )
    assert reconciler.others == []
    assert server.named("card", "All films")["id"] == card["id"]
    assert server.named("dashboard", "Today")["dashcards"] == board["dashcards"]
    applied.apply()
    assert applied.writes == []


def test_prune_archives_inside_the_managed_collection_only(applied: Applying) -> None:
    server, client = applied.server, applied.client()
    root = server.named("collection", "TMDB")["id"]
    query = client.request("GET", f"/api/card/{server.named('card', 'Films')['id']}")["dataset_query"]
    body = {"name": "Scratch", "display": "table", "visualization_settings": {}, "dataset_query": query}
    inside = client.request("POST", "/api/card", json=body | {"collection_id": root})["id"]
    outside = client.request("POST", "/api/card", json=body)["id"]
    old = client.request("POST", "/api/collection", json={"name": "Old", "parent_id": root})["id"]
    in_old = client.request("POST", "/api/dashboard", json={"name": "Overview", "collection_id": old})["id"]
    other = client.request("POST", "/api/collection", json={"name": "Cards"})["id"]

    reconciler = applied.apply()
    assert applied.writes == []
    assert sorted(o.path for o in reconciler.others) == ["TMDB/Old", "TMDB/Old/Overview", "TMDB/Scratch"]
    applied.apply(prune=True)
    assert applied.writes == [
        ("PUT", f"/api/dashboard/{in_old}"),
        ("PUT", f"/api/card/{inside}"),
        ("PUT", f"/api/collection/{old}"),
    ]
    assert server.cards[inside]["archived"] and server.collections[old]["archived"]
    assert not server.cards[outside]["archived"] and not server.collections[other]["archived"]
    assert applied.apply(prune=True).changes == []


def test_a_dashboard_that_left_the_files_is_archived_with_its_cards(applied: Applying) -> None:
    (applied.files / "dashboards" / "companies.yml").unlink()
    edit(applied.files / "metabase.yml", " companies,", "")
    for name in (
        *("companies", "films_with_money", "revenue_to_budget"),
        *("company_films", "company_ratings", "company_returns", "company_table"),
    ):
        (applied.files / "cards" / f"{name}.sql").unlink()
    applied.apply(prune=True)
    assert len(applied.writes) == 1 + 7
    archived = [d["name"] for d in applied.server.dashboards.values() if d["archived"]]
    assert archived == ["Companies"]


def test_two_cards_of_one_name_are_an_error_before_any_write(applied: Applying) -> None:
    films = applied.server.named("card", "Films")
    twin = films | {"id": 777}
    applied.server.cards[777] = twin
    edit(applied.files / "dashboards" / "overview.yml", "For anyone who", "For all who")
    with pytest.raises(DashboardError, match=rf"2 cards named 'Films'.*ids.*777.*{films['id']}"):
        applied.apply()
    assert applied.writes == []


def test_a_half_failed_apply_is_repeated(serve: Serve) -> None:
    applying = serve()
    server = applying.server
    counts = {"card": 0}

    def fault(method: str, path: str) -> Refused | None:
        if (method, path) == ("POST", "/api/card"):
            counts["card"] += 1
            if counts["card"] == 9:
                return Refused(500, {"message": "Something went wrong"})
        return None

    server.fault = fault
    with pytest.raises(DashboardError, match=r"card TMDB/Cards/.*Something went wrong.*repeat the command"):
        applying.apply()
    assert len(server.cards) == 8 and not server.dashboards
    applying.apply()
    assert len(server.cards) == 47
    assert ("POST", "/api/collection") not in applying.writes
    applying.apply()
    assert applying.writes == []


def test_an_answer_that_was_lost_makes_no_second_card(serve: Serve) -> None:
    """The card was made, but its answer was a 504; the next apply finds it by name."""
    applying = serve()
    lost = iter([Refused(504, "Gateway Timeout")])

    def after(method: str, path: str) -> Refused | None:
        return next(lost, None) if (method, path) == ("POST", "/api/card") else None

    applying.server.after = after
    with pytest.raises(DashboardError, match="504"):
        applying.apply()
    applying.apply()
    names = [(c["collection_id"], c["name"]) for c in applying.server.cards.values()]
    assert len(names) == len(set(names)) == 47


def test_a_card_that_fails_is_told_by_name_with_postgres_own_words(applied: Applying) -> None:
    reconciler = applied.apply()
    films = applied.server.named("card", "Films")
    applied.server.cards[films["id"]]["dataset_query"]["sql"] = "select * from raw.tmdb_response"
    failures = applied.run_cards(reconciler)
    assert [f.card for f in failures] == ["TMDB/Cards/Overview/Films"]
    assert "permission denied for schema raw" in failures[0].error


def test_a_password_that_was_changed_is_sent_again(applied: Applying) -> None:
    server = applied.server
    server.database_password = applied.warehouse.connection.password
    database = next(iter(server.databases.values()))
    database["details"]["password"] = "the old one"
    applied.apply()
    assert applied.writes == [("PUT", f"/api/database/{database['id']}")]
    applied.apply()
    assert applied.writes == []


def test_a_warehouse_that_was_not_built_is_told(serve: Serve) -> None:
    applying = serve()
    applying.server.syncs = False
    with pytest.raises(DashboardError, match=r"does not see these.*marts\.dim_country.*dbt build"):
        applying.apply()


def test_the_first_password_must_be_a_good_one(serve: Serve) -> None:
    with pytest.raises(UsageError, match="METABASE_ADMIN_PASSWORD"):
        serve().apply(password="metabase1")


def test_a_setup_token_that_is_not_the_servers_is_told(serve: Serve) -> None:
    with pytest.raises(UsageError, match="METABASE_SETUP_TOKEN") as error:
        serve().apply(setup_token="guessed-token")
    assert PASSWORD not in str(error.value)


def test_an_api_key_does_as_well(applied: Applying) -> None:
    applied.server.api_keys.add("mb_key")
    applied.apply(api_key="mb_key", email=None, password=None)
    assert ("POST", "/api/session") not in [(m, p) for m, p, _ in applied.server.log]
    with pytest.raises(UsageError, match="METABASE_API_KEY"):
        applied.apply(api_key="mb_wrong")
