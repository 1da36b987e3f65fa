"""Dashboards to a Metabase as strict as the real one: made, left alone, put back, renamed, archived."""

from collections.abc import Callable
from typing import Any

import pytest

from metabase.client import Client
from metabase.errors import DashboardError, UsageError
from tests.left_out import slow_but
from tests.metabase.conftest import EMAIL, PASSWORD, Applying, edit
from tests.metabase.fake import Refused

Serve = Callable[..., Applying]


@pytest.mark.parametrize("version", slow_but(1, [65, 58, 62, 63]))
def test_a_fresh_server_gets_everything_and_a_second_apply_writes_nothing(serve: Serve, version: int) -> None:
    applying = serve(version)
    applying.server.booting = 4
    reconciler = applying.apply()
    server = applying.server
    assert server.users == {EMAIL: PASSWORD}
    assert {d["name"] for d in server.dashboards.values()} == {
        *("Overview", "What to watch tonight?", "Film", "Genres and countries", "Companies"),
        "Pipeline health",
    }
    if version == 65:
        assert applying.run_cards(reconciler) == []

    again = applying.apply()
    assert applying.writes == [] and again.changes == [] and again.others == []
    # one from which a click goes to a tab that was made after it is told its id then
    twice = {"Film"}
    assert server.revisions == {
        ("dashboard", id_): 2 if one["name"] in twice else 1 for id_, one in server.dashboards.items()
    }


@pytest.mark.slow
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
    (
        "dashboards/overview.yml",
        "row: 35, col: 0, width: 24",
        "row: 36, col: 1, width: 9",
        DASHBOARD,
        "Overview",
    ),
    ("metabase.yml", "The questions that", "All questions that", COLLECTION, "Cards"),
    ("cards/snippets/chosen_film.sql", "-- the most", "-- The most", CARD, None),
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
    ("dashboards/overview.yml", "name: Votes at least", "name: So many votes", DASHBOARD, "Overview"),
    ("dashboards/overview.yml", "This product uses", "This uses", DASHBOARD, "Overview"),
    ("dashboards/overview.yml", "name: Genre\n", "name: Genre\n    multiple: false\n", DASHBOARD, "Overview"),
    ("dashboards/film.yml", "title: Rating", "title: Stars", DASHBOARD, "Film"),
    ("dashboards/film.yml", "linked: [language, genre]", "linked: [language]", DASHBOARD, "Film"),
    ("dashboards/film.yml", "tab: Genres", "tab: Languages", DASHBOARD, "Film"),
    ("dashboards/overview.yml", "film_id: TMDB id", "film: Film", DASHBOARD, "Overview"),
    (
        "dashboards/overview.yml",
        "{set: {genre: Genre}}",
        "{url: 'https://x.org/{{Genre}}'}",
        DASHBOARD,
        "Overview",
    ),
    ("dashboards/genres_and_countries.yml", "- name: Languages\n", "- name: Tongues\n", DASHBOARD, None),
    (
        "dashboards/genres_and_countries.yml",
        "card: language_bars\n",
        "card: language_bars\n        filters: {genre: null}\n",
        DASHBOARD,
        None,
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "kind", "name"), slow_but(2, EDITS))
def test_every_edit_of_a_file_gives_the_one_write(
    applied: Applying, file: str, old: str, new: str, kind: str | None, name: str | None
) -> None:
    edit(applied.files / file, old, new)
    expected = 0 if kind is None else 1
    if "chosen_film" in file:
        expected = 9  # the cards that include it
    applied.apply()
    assert len(applied.writes) == expected
    assert all(method == "PUT" for method, _ in applied.writes)
    if kind and name:
        assert applied.writes == [("PUT", f"/api/{kind}/{applied.server.named(kind, name)['id']}")]
    applied.apply()
    assert applied.writes == []


@pytest.mark.slow
def test_a_default_is_the_dashboards(serve: Serve) -> None:
    """Cards that can't run without the value get it, too, for when they are looked at alone; once."""
    applied = serve()
    applied.apply()
    edit(applied.files / "dashboards" / "companies.yml", "default: 3", "default: 4")
    applied.apply()
    companies = applied.server.named("dashboard", "Companies")
    assert applied.writes == [("PUT", f"/api/dashboard/{companies['id']}")]
    parameter = next(one for one in companies["parameters"] if one["slug"] == "min_films")
    assert parameter["default"] == [4] and parameter["required"] is True
    card = applied.server.named("card", "Companies by films")
    assert card["dataset_query"]["tags"]["min_films"]["default"] == 3


def test_ids_of_places_tabs_and_filters_are_kept(applied: Applying) -> None:
    before = applied.server.named("dashboard", "Genres and countries")
    path = applied.files / "dashboards" / "genres_and_countries.yml"
    edit(path, "row: 3, col: 0, width: 12, height: 8", "row: 3, col: 0, width: 11, height: 8")
    edit(path, "  - name: Languages", "  - name: Original languages")
    place = (
        "      - card: continent_films\n        at: {row: 0, col: 15, width: 9, height: 9}\n"
        "        click: {set: {continent: Continent}}\n"
    )
    edit(path, place, "")
    edit(
        path,
        "      - card: language_bars\n",
        place.replace("row: 0", "row: 40") + "      - card: language_bars\n",
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
    for board, click in (("film", "        Company: {dashboard: companies, set: {company: Company}}\n"),):
        edit(applied.files / "dashboards" / f"{board}.yml", click, "")
    for name in (
        *("company_sentence", "films_with_money", "revenue_to_budget", "company_film_list"),
        *("company_films", "company_ratings", "company_returns", "company_table"),
    ):
        (applied.files / "cards" / f"{name}.sql").unlink()
    applied.apply(prune=True)
    # with the click to it, and the places of those pinned behind it
    assert len(applied.writes) == 1 + 8 + 2
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


@pytest.mark.slow
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
    assert len(server.cards) == 48
    assert ("POST", "/api/collection") not in applying.writes
    applying.apply()
    assert applying.writes == []


@pytest.mark.slow
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
    assert len(names) == len(set(names)) == 48


def test_a_card_that_fails_is_told_by_name_with_postgres_own_words(applied: Applying) -> None:
    reconciler = applied.apply()
    films = applied.server.named("card", "Films")
    applied.server.cards[films["id"]]["dataset_query"]["sql"] = "select * from raw.tmdb_response"
    failures = applied.run_cards(reconciler)
    assert [f.card for f in failures] == ["TMDB/Cards/Overview/Films"]
    assert "permission denied for schema raw" in failures[0].error


@pytest.mark.slow
def test_a_password_that_was_changed_is_sent_again(applied: Applying) -> None:
    server = applied.server
    server.database_password = applied.warehouse.connection.password
    database = next(iter(server.databases.values()))
    database["details"]["password"] = "the old one"
    applied.apply()
    assert applied.writes == [("PUT", f"/api/database/{database['id']}")]
    applied.apply()
    assert applied.writes == []


@pytest.mark.slow
def test_a_warehouse_that_was_not_built_is_told(serve: Serve) -> None:
    applying = serve()
    applying.server.syncs = False
    with pytest.raises(DashboardError, match=r"does not see these.*marts\.bridge_movie_genre.*dbt build"):
        applying.apply()


def test_the_first_password_must_be_a_good_one(serve: Serve) -> None:
    with pytest.raises(UsageError, match="METABASE_ADMIN_PASSWORD"):
        serve().apply(password="metabase1")


@pytest.mark.parametrize("version", [58, 65])
def test_a_first_user_made_meanwhile_is_signed_in(serve: Serve, version: int) -> None:
    """Old versions answer 403 to a second setup; newer ones have used the token up, and answer 400."""
    applying = serve(version)
    client = Client(applying.settings(), sleep=lambda seconds: None)
    refused = Client(applying.settings(password="another-passw0rd"), sleep=lambda seconds: None)
    for early in (client, refused):
        early.wait_until_ready()
    applying.client()
    client.set_up("Late")
    assert client.request("GET", "/api/user/current")["is_superuser"]
    with pytest.raises(UsageError, match="refused to sign in"):
        refused.set_up("Later")


def test_who_signs_in_must_be_an_administrator(applied: Applying) -> None:
    applied.server.superuser = False
    applied.server.api_keys.add("mb_key")
    with pytest.raises(UsageError, match="group of METABASE_API_KEY must be Administrators"):
        applied.apply(api_key="mb_key", email=None, password=None)
    with pytest.raises(UsageError, match=r"ada@example\.com must be an administrator"):
        applied.apply()


ADDED = {
    "parameter": {"temporal_units": [], "target": None, "hasVariableTemplateTagTarget": True},
    "tag": {"lib/uuid": "x", "options": {"a": 1}, "snippet-name": "y"},
    "dashcard": {"collection_authority_level": None, "inline_parameters": []},
    "card": {"card_schema": 23, "legacy_query": "{}"},
    "dashboard": {"last_used_param_values": {}, "moderation_reviews": []},
}


@pytest.mark.slow
def test_keys_that_a_server_adds_or_drops_of_its_own_are_no_change(serve: Serve) -> None:
    applying = serve()
    applying.server.adds = ADDED
    applying.server.drops = {"parameter": {"sectionId"}}
    assert applying.apply().not_kept == []
    again = applying.apply()
    assert applying.writes == [] and again.changes == []


@pytest.mark.parametrize(
    ("kind", "key", "told"),
    slow_but(
        1,
        [
            ("parameter", "default", "dashboard TMDB/Companies\n    filter min_films.default: (none) → [3]"),
            (
                "parameter",
                "filteringParameters",
                "dashboard TMDB/Film\n    filter film.filteringParameters: (none)",
            ),
            ("tag", "widget-type", "dataset_query.tags.genre.widget-type: (none) → string/="),
            (
                "dashcard",
                "parameter_mappings",
                "dashboard TMDB/Overview\n    card overview_sentence.filters: []",
            ),
            ("card", "description", "card TMDB/Cards/Overview/Films\n    description: (none) → Films with"),
        ],
    ),
)
def test_what_a_server_does_not_keep_is_told(serve: Serve, kind: str, key: str, told: str) -> None:
    applying = serve()
    applying.server.drops = {kind: {key}}
    reconciler = applying.apply(adopt=True)
    assert any(told in str(one) for one in reconciler.not_kept), [str(o) for o in reconciler.not_kept][:3]


def test_what_somebody_else_made_is_not_taken_over(serve: Serve) -> None:
    """A collection of our root's name, with a dashboard of one of ours' in it."""
    applying = serve()
    client = applying.client()
    theirs = client.request("POST", "/api/collection", json={"name": "TMDB", "description": "Ada's"})["id"]
    board = client.request("POST", "/api/dashboard", json={"name": "Overview", "collection_id": theirs})["id"]
    with pytest.raises(UsageError, match=r"collection TMDB, dashboard TMDB/Overview\..*--adopt"):
        applying.apply()
    assert applying.writes == []
    assert applying.server.collections[theirs]["description"] == "Ada's"
    with pytest.raises(UsageError, match="dashboard TMDB/Overview"):
        applying.apply(planning=True)

    applying.apply(adopt=True)
    assert applying.server.named("dashboard", "Overview")["id"] == board
    assert applying.apply().changes == []


def test_what_was_renamed_or_moved_by_hand_is_put_back(applied: Applying) -> None:
    server = applied.server
    films, overview = server.named("card", "Films"), server.named("dashboard", "Overview")
    server.cards[films["id"]]["name"] = "All of them"
    server.cards[films["id"]]["collection_id"] = server.named("collection", "Film")["id"]
    server.dashboards[overview["id"]]["name"] = "Start"
    applied.apply()
    assert sorted(applied.writes) == [
        ("PUT", f"/api/card/{films['id']}"),
        ("PUT", f"/api/dashboard/{overview['id']}"),
    ]
    assert server.named("card", "Films")["collection_id"] == films["collection_id"]


@pytest.mark.slow
def test_a_renamed_filter_keeps_its_id(applied: Applying) -> None:
    before = applied.server.named("dashboard", "Pipeline health")["parameters"]
    path = applied.files / "dashboards" / "pipeline_health.yml"
    edit(path, "  reason:\n    name: Reason\n", "  why:\n    name: Cause\n    previous_keys: [reason]\n")
    edit(path, "set: {reason: Reason}", "set: {why: Reason}")
    edit(path, "{card: failure_table, at", "{card: failure_table, filters: {why: reason}, at")
    applied.apply()
    after = applied.server.named("dashboard", "Pipeline health")["parameters"]
    assert [p["id"] for p in before] == [p["id"] for p in after]
    assert [p["slug"] for p in after][-1] == "why"
    applied.apply()
    assert applied.writes == []


def test_clicks_lead_to_films_genres_countries_and_companies(applied: Applying) -> None:
    server = applied.server
    boards = {name: server.named("dashboard", name) for name in ("Overview", "Film", "Genres and countries")}
    cards = {card["id"]: card["name"] for card in server.cards.values()}

    def settings(board: str, card: str) -> dict[str, Any]:
        found = next(d for d in boards[board]["dashcards"] if cards.get(d["card_id"]) == card)
        return dict(found["visualization_settings"])

    ids = {p["slug"]: p["id"] for p in boards["Film"]["parameters"]}
    click = settings("Overview", "Top films")["click_behavior"]
    assert click == {
        **{"type": "link", "linkType": "dashboard", "targetId": boards["Film"]["id"]},
        "parameterMapping": {
            ids["film_id"]: {
                "id": ids["film_id"],
                "source": {"type": "column", "id": "TMDB id", "name": "TMDB id"},
                "target": {"type": "parameter", "id": ids["film_id"]},
            }
        },
    }
    genre = next(p["id"] for p in boards["Overview"]["parameters"] if p["slug"] == "genre")
    bars = settings("Overview", "Mean popularity by genre")["click_behavior"]
    assert bars["type"] == "crossfilter" and list(bars["parameterMapping"]) == [genre]
    columns = settings("Film", "Where it belongs")["column_settings"]
    tabs = {tab["name"]: tab["id"] for tab in boards["Genres and countries"]["tabs"]}
    assert columns['["name","Country"]']["click_behavior"]["tabId"] == tabs["Countries"]
    company = columns['["name","Company"]']["click_behavior"]
    assert company["targetId"] == server.named("dashboard", "Companies")["id"]


def test_filters_on_columns_take_several_values_and_are_linked(applied: Applying) -> None:
    server = applied.server
    film = {p["slug"]: p for p in server.named("dashboard", "Film")["parameters"]}
    assert film["film"]["filteringParameters"] == [film["language"]["id"], film["genre"]["id"]]
    assert film["language"]["isMultiSelect"] is True and film["film"]["isMultiSelect"] is False
    fields = {f["id"]: f for f in server.fields.values()}
    tags = server.named("card", "Films")["dataset_query"]["tags"]
    genre = fields[tags["genre"]["dimension"][2]]
    assert genre["name"] == "name" and server.tables[genre["table_id"]]["name"] == "dim_genre"
    assert genre["has_field_values"] == "list"

    board = server.named("dashboard", "Overview")
    card = server.named("card", "Films")["id"]
    place = next(d["id"] for d in board["dashcards"] if d["card_id"] == card)
    id_ = next(p["id"] for p in board["parameters"] if p["slug"] == "genre")
    path = f"/api/dashboard/{board['id']}/dashcard/{place}/card/{card}/query"

    def films(*genres: str) -> int:
        body = {"parameters": [{"id": id_, "value": list(genres)}]}
        answer = applied.client().request("POST", path, json=body, reads=True)
        return int(answer["data"]["rows"][-1][1])

    drama, comedy, both = films("Drama"), films("Comedy"), films("Drama", "Comedy")
    assert max(drama, comedy) < both <= drama + comedy


def test_tables_have_names_for_people_and_the_pipelines_books_are_put_aside(applied: Applying) -> None:
    tables = {table["name"]: table for table in applied.server.tables.values()}
    assert tables["vw_movie_latest"]["display_name"] == "Films today"
    kinds = ("Dim ", "Vw ", "Fact ", "Agg ", "Bridge ")
    assert not [t["display_name"] for t in tables.values() if t["display_name"].startswith(kinds)]
    hidden = {name for name, table in tables.items() if table["visibility_type"] == "technical"}
    assert {"vw_pipeline_run", "agg_movie_trend"} <= hidden and "dim_movie" not in hidden


def test_dashboards_are_pinned_in_their_order(applied: Applying) -> None:
    pinned = sorted((one["collection_position"], one["name"]) for one in applied.server.dashboards.values())
    assert [name for _, name in pinned][:3] == ["Overview", "What to watch tonight?", "Film"]
    assert [place for place, _ in pinned] == [1, 2, 3, 4, 5, 6]


def test_permissions_are_those_of_the_files(applied: Applying) -> None:
    server = applied.server
    ids = {one["name"]: str(one["id"]) for one in server.collections.values()}
    assert server.permissions["1"][ids["TMDB"]] == server.permissions["1"][ids["Overview"]] == "read"
    server.permissions["1"][ids["TMDB"]] = "write"
    change = applied.apply().changes
    assert [str(one) for one in change] == [
        "~ permissions of the collections\n    TMDB: All Users: write → read"
    ]
    assert applied.writes == [("PUT", "/api/collection/graph")]
    edit(applied.files / "metabase.yml", "{All Users: read}", "{Everybody: read}")
    with pytest.raises(DashboardError, match="no group 'Everybody'; it has Administrators, All Users"):
        applied.apply()


def test_subscriptions_and_alerts_are_files_too(applied: Applying) -> None:
    server = applied.server
    path = applied.files / "dashboards" / "overview.yml"
    path.write_text(
        path.read_text()
        + "subscriptions:\n"
        + "  - {to: [ada@example.com, bo@example.com], every: week, day: mon, at: 7,"
        + " filters: {genre: [Drama]}}\n"
        + "alerts:\n"
        + "  - {card: failure_table, to: [ada@example.com], every: hour}\n"
    )
    reconciler = applied.apply()
    assert applied.writes == [("POST", "/api/pulse"), ("POST", "/api/notification")]
    assert reconciler.not_kept == []
    (pulse,) = server.pulses.values()
    assert pulse["name"] == "Overview" and len(pulse["cards"]) == 9
    assert (pulse["channels"][0]["schedule_type"], pulse["channels"][0]["schedule_day"]) == ("weekly", "mon")
    (alert,) = server.notifications.values()
    assert alert["subscriptions"][0]["cron_schedule"] == "0 0 * * * ? *"
    applied.apply()
    assert applied.writes == []
    edit(path, "at: 7", "at: 9")
    applied.apply()
    assert applied.writes == [("PUT", f"/api/pulse/{pulse['id']}")]


def test_rows_that_metabase_would_cut_off_fail_the_card(applied: Applying) -> None:
    path = applied.files / "cards" / "films_tracked.sql"
    path.write_text('select generate_series(1, 2001) as "Films"\n')
    reconciler = applied.apply()
    failures = applied.run_cards(reconciler)
    assert [(f.card, "first 2000 rows" in f.error) for f in failures] == [
        ("TMDB/Cards/Pipeline health/Films tracked", True)
    ]


@pytest.mark.slow
def test_a_drop_down_of_a_card_is_filled_even_when_cards_are_not_run(serve: Serve) -> None:
    applying = serve()
    edit(
        applying.files / "dashboards" / "pipeline_health.yml",
        "    type: string/=\n",
        "    type: string/=\n    values: {card: failures_by_reason, column: Reason}\n",
    )
    reconciler = applying.apply()
    board = applying.server.named("dashboard", "Pipeline health")
    id_ = board["parameters"][-1]["id"]
    assert applying.server.get_dashboard_params_values(board["id"], id_, {})["values"] == []
    assert reconciler.run_cards(only_values=True) == []
    assert applying.server.get_dashboard_params_values(board["id"], id_, {})["values"] == [["timeout"]]
    queries = [path for method, path, _ in applying.server.log if path.endswith("/query")]
    assert len(queries) == 1


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
