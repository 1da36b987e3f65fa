"""Which server and database it is, is settled once; what can't be is refused in one line, exit code 2."""

import asyncio
import getpass
import re
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import warehouse
from tests.warehouse.conftest import Command
from warehouse import session

NAMES = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE")
SHOW = ("run", "--", "sh", "-c", "env | grep ^PG")


def plain(database: dict[str, str]) -> dict[str, str]:
    """The four names and the password, without the session's settings."""
    return {name: value for name, value in database.items() if name in (*NAMES, "PGPASSWORD")}


def settled(typed: Command, *, told: str = "", **variables: str) -> dict[str, str]:
    """The PG* variables that a command gets."""
    done = typed("warehouse", *SHOW, **variables)
    assert done.returncode == 0, done.stderr
    assert told in done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def refused(typed: Command, pattern: str, code: int = 2, **variables: str) -> None:
    done = typed("warehouse", "run", "--", "echo", "began", **variables)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert re.search(pattern, done.stderr), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


def service(folder: Path, **lines: str) -> dict[str, str]:
    """The variables that name a service `films` of that content."""
    file = folder / "services.conf"
    file.write_text("[films]\n" + "".join(f"{name}={value}\n" for name, value in lines.items()))
    return {"PGSERVICEFILE": str(file), "PGSERVICE": "films"}


def keywords(database: dict[str, str]) -> dict[str, str]:
    keys = {
        "PGHOST": "host",
        "PGPORT": "port",
        "PGUSER": "user",
        "PGDATABASE": "dbname",
        "PGPASSWORD": "password",
    }
    return {keys[name]: value for name, value in plain(database).items()}


class TestWhatIsSettled:
    def test_a_service_is_handed_on_as_plain_variables(
        self, database: dict[str, str], typed: Command, tmp_path: Path
    ) -> None:
        named = service(tmp_path, **keywords(database), application_name="films", keepalives_idle="20")
        got = settled(typed, **named)
        assert {name: got[name] for name in NAMES} == {name: database[name] for name in NAMES}
        assert got["PGAPPNAME"] == "films"
        assert not {"PGSERVICE", "PGSERVICEFILE"} & set(got)
        assert not (tmp_path / "embedded").exists()

    def test_a_service_and_variables_complete_each_other(
        self, database: dict[str, str], typed: Command, tmp_path: Path
    ) -> None:
        known = keywords(database)
        dbname = known.pop("dbname")
        got = settled(typed, **service(tmp_path, **known), PGHOST=database["PGHOST"], PGDATABASE=dbname)
        assert {name: got[name] for name in NAMES} == {name: database[name] for name in NAMES}

    def test_an_empty_pghost_means_the_embedded_server_whatever_a_service_says(
        self, database: dict[str, str], typed: Command, tmp_path: Path
    ) -> None:
        try:
            got = settled(typed, **service(tmp_path, **keywords(database)), PGHOST="")
        finally:
            typed("warehouse", "stop")
        assert got["PGHOST"] == str(tmp_path / "embedded" / "socket")
        assert "PGSERVICE" not in got

    @pytest.mark.parametrize(
        "empty", ["PGPORT", "PGPASSFILE", "PGOPTIONS", "PGSERVICE", "PGHOSTADDR", "PGTZ"]
    )
    def test_what_is_empty_counts_as_not_set(
        self, empty: str, database: dict[str, str], typed: Command
    ) -> None:
        got = settled(typed, **{**plain(database), empty: ""})
        assert {name: got[name] for name in NAMES} == {name: database[name] for name in NAMES}
        assert got.get(empty, "set") != ""

    def test_of_several_hosts_all_programs_get_the_one_that_answered(
        self, database: dict[str, str], typed: Command, tmp_path: Path
    ) -> None:
        hosts = f"{tmp_path / 'nobody'},{database['PGHOST']}"
        got = settled(typed, **{**plain(database), "PGHOST": hosts})
        assert got["PGHOST"] == database["PGHOST"]

    def test_the_user_is_the_systems_where_none_is_named(
        self, database: dict[str, str], typed: Command
    ) -> None:
        given = {name: value for name, value in plain(database).items() if name != "PGUSER"}
        refused(typed, f'role "{getpass.getuser()}" does not exist.*PGUSER', **given)

    def test_the_database_is_tmdb_where_none_is_named(self, database: dict[str, str], typed: Command) -> None:
        given = {name: value for name, value in plain(database).items() if name != "PGDATABASE"}
        with warehouse.connect(database) as connection:
            there = connection.execute("select from pg_database where datname = 'tmdb'").fetchone()
        if there is not None:
            assert settled(typed, **given)["PGDATABASE"] == "tmdb"
        else:
            refused(typed, 'database "tmdb" does not exist.*PGDATABASE', **given)

    def test_settled_once_more_nothing_changes(self, database: dict[str, str], typed: Command) -> None:
        once = settled(typed, **plain(database), PGOPTIONS="-c work_mem=5MB")
        assert settled(typed, **once) == once
        assert once["PGOPTIONS"].startswith("-c work_mem=5MB -c ")


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("variables", "pattern"),
        [
            ({"PGPORT": "abc"}, "abc"),
            ({"PGPORT": "99999"}, "99999"),
            ({"PGPORT": "5432,5433,5434"}, "port"),
            ({"PGSSLMODE": "sometimes"}, "sometimes"),
            ({"PGCONNECT_TIMEOUT": "soon"}, "soon"),
            ({"PGTARGETSESSIONATTRS": "any-which"}, "any-which"),
            ({"PGOPTIONS": "-c no_such_setting=1"}, "no_such_setting"),
            ({"PGOPTIONS": "--what"}, "what.*Check .*PGOPTIONS"),
            ({"PGUSER": "nobody_at_all"}, "nobody_at_all.*PGUSER"),
            ({"PGHOST": "postgresql://me:hunter2@db.example.com/films"}, "PGHOST must be a name alone"),
            ({"PGDATABASE": "postgres://me:hunter2@db/films"}, "PGDATABASE must be a name alone"),
            ({"PGDATABASE": "host=db password=hunter2"}, "PGDATABASE must be a name alone"),
            ({"PGHOST": "", "PGDATABASE": "postgres://me:hunter2@db/films"}, "PGDATABASE must be a name"),
            ({"PGDATABASE": "a\udcffb"}, "PGDATABASE must be a name alone"),
            ({"PGHOST": " "}, "PGHOST must be a name alone"),
            ({"PGHOST": "a..b"}, "PGHOST=a..b"),
        ],
    )
    def test_a_variable_that_says_nothing(
        self, variables: dict[str, str], pattern: str, database: dict[str, str], typed: Command
    ) -> None:
        refused(typed, pattern, **{**plain(database), **variables})

    @pytest.mark.parametrize(
        ("host", "pattern"),
        [
            ("127.0.0.1", "cannot reach PostgreSQL .PGHOST=127.0.0.1, PGPORT=1, .*refused.*embedded server"),
            ("no-such-host.invalid", "cannot reach PostgreSQL .PGHOST=no-such-host.invalid"),
            ("/nowhere/at/all", "cannot reach PostgreSQL .PGHOST=/nowhere/at/all"),
        ],
    )
    def test_a_server_that_is_not_there_may_come_back(self, host: str, pattern: str, typed: Command) -> None:
        refused(
            typed, pattern, code=1, PGHOST=host, PGPORT="1", PGUSER="x", PGDATABASE="y", PGPASSWORD="hunter2"
        )

    def test_a_service_that_is_not_there(self, typed: Command, tmp_path: Path) -> None:
        file = service(tmp_path, host="db")["PGSERVICEFILE"]
        refused(typed, "PGSERVICE=other.*not found", PGSERVICEFILE=file, PGSERVICE="other")
        refused(
            typed, "PGSERVICE=films.*missing.conf", PGSERVICEFILE=f"{file}.missing.conf", PGSERVICE="films"
        )
        Path(file).write_text("[films]\nhost\n")
        refused(typed, "PGSERVICE=films.*syntax error", PGSERVICEFILE=file, PGSERVICE="films")

    def test_a_service_and_a_variable_that_contradict_each_other(
        self, database: dict[str, str], typed: Command, tmp_path: Path
    ) -> None:
        named = service(tmp_path, **{**keywords(database), "password": "hunter2"})
        refused(typed, "PGDATABASE=other and the service films .dbname=", **named, PGDATABASE="other")
        refused(typed, "PGHOST=elsewhere and the service films", **named, PGHOST="elsewhere")
        refused(typed, "PGPASSWORD and the service films contradict", **named, PGPASSWORD="hunter2too")

    def test_what_a_service_says_and_no_variable_can(
        self, database: dict[str, str], typed: Command, tmp_path: Path
    ) -> None:
        refused(typed, "sets sslpassword", **service(tmp_path, **keywords(database), sslpassword="hunter2"))

    def test_a_database_that_cannot_hold_the_films(self, database: dict[str, str], typed: Command) -> None:
        name = f"{database['PGDATABASE']}_latin1"
        make = "create database {} encoding 'LATIN1' locale 'C' template template0"
        with warehouse.connect(database) as connection:
            connection.execute(sql.SQL(make).format(sql.Identifier(name)))
            try:
                refused(typed, f"{name} is LATIN1-encoded", **{**plain(database), "PGDATABASE": name})
            finally:
                connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


#: As a server elsewhere in the world may have them, each of which ended a program of ours.
ODD = {
    "DateStyle": "German, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Pacific/Kiritimati",
    "client_encoding": "LATIN1",
    "search_path": "nowhere",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-15",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "20s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "20s",
    "idle_session_timeout": "20s",
}


@pytest.fixture
def odd(database: dict[str, str], role: str) -> dict[str, str]:
    """The database for a role with settings of its own, which outweigh the database's."""
    with warehouse.connect(database) as connection:
        for name, value in ODD.items():
            connection.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    sql.Identifier(role), sql.Identifier(name), sql.Literal(value)
                )
            )
    return {**plain(database), "PGUSER": role}


def settings(connection: psycopg.Connection) -> dict[str, str]:
    return {name: connection.execute("select current_setting(%s)", [name]).fetchone()[0] for name in ODD}


def test_every_setting_that_matters_has_an_odd_value() -> None:
    assert set(ODD) == set(session.SETTINGS)


def test_a_connection_has_the_settings_whatever_the_role_has(odd: dict[str, str]) -> None:
    with warehouse.connect(odd) as connection:
        assert settings(connection) == session.SETTINGS


def test_so_has_one_of_asyncio(odd: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in odd.items():
        monkeypatch.setenv(name, value)

    async def shown() -> dict[str, str]:
        async with await warehouse.connect_async() as connection:
            cursor = await connection.execute(
                "select name, setting from pg_settings where name = any(%s)", [[*ODD]]
            )
            return dict(await cursor.fetchall())

    assert asyncio.run(shown()) == session.SETTINGS


def test_so_has_every_program_that_libpq_connects(odd: dict[str, str], typed: Command) -> None:
    wanted = {**settled(typed, **odd, PGDATESTYLE="German", PGTZ="Asia/Tokyo", PGCLIENTENCODING="LATIN1")}
    with psycopg.connect(
        **{key: value for key, value in keywords(wanted).items()}, options=wanted["PGOPTIONS"]
    ) as connection:
        of_options = settings(connection)
    named = {"DateStyle": "PGDATESTYLE", "TimeZone": "PGTZ", "client_encoding": "PGCLIENTENCODING"}
    assert {**of_options, **{name: wanted[variable] for name, variable in named.items()}} == session.SETTINGS


def test_in_psql_a_persons_own_wishes_hold(odd: dict[str, str], typed: Command) -> None:
    query = "select current_setting('DateStyle'), current_setting('TimeZone'), current_setting('search_path')"
    said = typed("warehouse", "psql", "--", "-AtX", "-c", query, **odd)
    assert said.stdout == "ISO, MDY|UTC|analytics, marts, public\n", said.stderr
    wishes = {"PGDATESTYLE": "German", "PGTZ": "Asia/Tokyo", "PGOPTIONS": "-c search_path=raw"}
    said = typed("warehouse", "psql", "--", "-AtX", "-c", query, **odd, **wishes)
    assert said.stdout == "German, DMY|Asia/Tokyo|raw\n", said.stderr
