"""Another dbt project's dashboards: the program knows nothing of films."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import programs
from tests.databases import Databases
from tests.metabase.conftest import EMAIL, PASSWORD, PROJECT, Applying, connect

Run = Callable[..., subprocess.CompletedProcess[str]]

FILES = {
    "dbt/dbt_project.yml": "name: shop\nprofile: shop\nmodel-paths: [models]\nvars: {big_order: 50}\n",
    "dbt/profiles.yml": (
        "shop: {target: it, outputs: {it: {type: postgres, host: h, port: 1, user: u, password: p,"
        " dbname: d, schema: shop}}}\n"
    ),
    "dbt/models/dim_customer.sql": "select 1 as customer_id, 'Ada' as name\n",
    "dbt/models/fct_order.sql": (
        "select 1 as order_id, 1 as customer_id, date '2026-01-31' as day, 60 as total\n"
    ),
    "dbt/models/_models.yml": """
models:
  - name: dim_customer
    description: Who buys.
    columns:
      - {name: customer_id, data_type: integer, constraints: [{type: primary_key}]}
      - {name: name, data_type: text}
  - name: fct_order
    description: What is bought.
    columns:
      - {name: order_id, data_type: integer}
      - {name: customer_id, data_type: integer}
      - {name: day, data_type: date}
      - {name: total, data_type: integer}
""",
    "dashboards/metabase.yml": """
database: Shop warehouse
dbt_project: ../dbt
schemas: [shop]
owner: {name: The shop, email: data@shop.example}
collections:
  Shop: {permissions: {All Users: read}}
tables:
  fct_order: {name: Orders}
""",
    "dashboards/dashboards/sales.yml": """
name: Sales
collection: Shop
description: For the shopkeeper, what was sold to whom.
filters:
  customer: {name: Customer, type: string/=, column: dim_customer.name}
cards:
  orders_by_day:
    name: Orders by day
    display: bar
    settings: {graph.dimensions: [Day], graph.metrics: [Orders]}
layout:
  - card: orders_by_day
    at: {row: 0, col: 0, width: 24, height: 8}
""",
    "dashboards/cards/orders_by_day.sql": """
select fct_order.day as "Day", count(*) as "Orders"
from {{ ref('fct_order') }} as fct_order
inner join {{ ref('dim_customer') }} on fct_order.customer_id = dim_customer.customer_id
where fct_order.total >= {{ var('big_order') }} [[and {{ customer }}]]
group by fct_order.day
""",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def run(shop: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "METABASE_", "TMDB_"))}
    words = [*arguments, "--folder", str(shop / "dashboards")]
    return programs.run("metabase", words, cwd=PROJECT, env={**kept, "TMDB_ENV_FILE": "", **variables})


@pytest.mark.slow
def test_a_shop_has_dashboards(shop: Path, databases: Databases, serve: Callable[..., Applying]) -> None:
    checked = run(shop, "check")
    assert checked.stdout == "1 dashboards with 1 cards: every filter, model and column is there\n", (
        checked.stderr
    )
    exposures = run(shop, "exposures")
    assert exposures.returncode == 0, exposures.stderr
    written = (shop / "dbt" / "models" / "exposures" / "_dashboards.yml").read_text()
    assert "ref('dim_customer')" in written and "ref('fct_order')" in written
    assert run(shop, "check").returncode == 0

    server = serve().server
    with databases.new() as pg, connect(pg) as owner:
        owner.execute("create schema shop")
        for model in ("dim_customer", "fct_order"):
            sql = (shop / "dbt" / "models" / f"{model}.sql").read_text()
            owner.execute(f"create table shop.{model} as {sql}".encode())
        owner.execute("create role shop_reader login password 'shop-passw0rd'")
        owner.execute("grant usage on schema shop to shop_reader")
        owner.execute("grant select on all tables in schema shop to shop_reader")
        variables = {
            **{"METABASE_URL": server.url, "METABASE_WAIT": "10", "METABASE_ADMIN_EMAIL": EMAIL},
            **{"METABASE_ADMIN_PASSWORD": PASSWORD, "METABASE_READER": "shop_reader"},
            **{"METABASE_READER_PASSWORD": "shop-passw0rd", "PGDATABASE": pg["PGDATABASE"]},
            **{"METABASE_WAREHOUSE_HOST": pg["PGHOST"], "METABASE_WAREHOUSE_PORT": pg["PGPORT"]},
        }
        try:
            applied = run(shop, "apply", **variables)
            assert applied.returncode == 0, applied.stderr
            assert "1 cards ran" in applied.stdout
            again = run(shop, "apply", "--no-run", **variables)
            assert again.stdout == "nothing to change: Metabase is as the files say\n", again.stdout
            board = server.named("dashboard", "Sales")
            server.dashboards[board["id"]]["dashcards"][0]["size_y"] = 9
            exported = run(shop, "export", **variables)
            assert exported.returncode == 0, exported.stderr
            text = (shop / "dashboards" / "dashboards" / "sales.yml").read_text()
            assert text.count("height: 9") == 1
        finally:
            owner.execute("drop owned by shop_reader")
            owner.execute("drop role shop_reader")
    tables = {table["name"]: table["display_name"] for table in server.tables.values()}
    assert tables == {"dim_customer": "Customer", "fct_order": "Orders"}


def test_a_dbt_project_that_is_not_there_is_told(shop: Path) -> None:
    path = shop / "dashboards" / "metabase.yml"
    path.write_text(path.read_text().replace("../dbt", "../nowhere"))
    checked = run(shop, "check")
    assert checked.returncode in (1, 2) and "nowhere" in checked.stderr
    assert "Traceback" not in checked.stderr
