"""The webhook: what it is told of a failure, that it is told, and that it never changes how a run ends."""

import logging
import signal
from datetime import UTC, datetime
from typing import Any

import pytest

from common import notify
from common.errors import ConfigurationError
from common.report import Report
from common.secret import Secret
from demo.faults import Faults
from demo.server import StandIn
from tests.extractor.conftest import DAY, HOOK_KEY, TOKEN, Hook, Program, Start, Zone, wait_for
from tests.extractor.test_cli import free_port


def test_a_failed_run_is_told_with_its_figures_and_nothing_private(
    program: Program, tmdb: StandIn, zone: Zone, hook: Hook
) -> None:
    tmdb.faults = Faults({"echo": 1.0}, attempts=99, paths=r"/3/movie/\d*[37]$")
    before = datetime.now(UTC)
    done = program("run", TMDB_MAX_TRIES="1", TMDB_NOTIFY_URL=hook.url, TMDB_LOG_LEVEL="DEBUG")
    assert done.returncode == 1
    ((_, headers, body),) = hook.received
    assert headers["Content-Type"] == "application/json" and len(body) < 4096
    (told,) = hook.contents()
    run = zone.last_run()
    for name in ("requested", "landed", "not_found", "failed", "retried", "bytes"):
        assert told["counts"][name] == run[name]
    assert told["counts"]["failed"] > 5 and told["counts"]["landed"] > 50
    assert (told["run_id"], told["mode"], told["snapshot_date"]) == (run["run_id"], "popular", str(DAY))
    assert (told["step"], told["status"], told["exit_code"]) == ("extract", "failed", 1)
    assert run["error"] in told["reason"] and told["reason"] in told["text"]
    started, finished = (datetime.fromisoformat(told[name]) for name in ("started_at", "finished_at"))
    assert before <= started < finished <= datetime.now(UTC)
    assert (told["program"], told["version"].count(".")) == ("tmdb-elt", 2)
    # neither the token, nor what TMDB sent; nor the webhook's key in the log
    assert TOKEN not in body.decode() and "overview" not in body.decode() and TOKEN not in str(headers)
    assert HOOK_KEY not in done.stderr and "told http://127.0.0.1:" in done.stderr


@pytest.mark.parametrize(
    ("words", "variables", "code", "reason"),
    [
        ((), {"TMDB_TOKEN": ""}, 2, "no TMDB_TOKEN is set"),
        ((), {"TMDB_TOKEN": "wrong-token"}, 2, "TMDB refused the token"),
        (("--pages", "many"), {}, 2, "TMDB_PAGES='many' must be"),
        (("--page", "3"), {}, 2, "No such option"),
        ((), {"PGDATABASE": "nowhere"}, 2, "PostgreSQL refused the connection"),
        ((), {"PGHOST": "127.0.0.1", "PGPORT": "1"}, 1, "cannot reach PostgreSQL"),
        ((), {"TMDB_BASE_URL": "https://me:pa55word@example.com/3"}, 2, "must hold no user name"),
    ],
)
def test_a_failure_before_the_run_has_begun_is_told_too(
    program: Program, hook: Hook, words: tuple[str, ...], variables: dict[str, str], code: int, reason: str
) -> None:
    done = program("run", *words, TMDB_NOTIFY_URL=hook.url, **variables)
    assert done.returncode == code
    (told,) = hook.contents()
    assert told["exit_code"] == code and reason in told["reason"] and told["counts"]["landed"] == 0
    assert "pa55word" not in done.stderr + told["text"]


def test_an_address_is_no_option_which_would_show_in_the_process_list(program: Program, hook: Hook) -> None:
    refused = program("run", "--notify", hook.url)
    assert refused.returncode == 2
    assert "Options show in the process list. Its variable is TMDB_NOTIFY_URL" in refused.stderr
    assert hook.url not in refused.stderr and hook.received == []


def test_a_dry_run_is_nobodys_alarm(program: Program, hook: Hook) -> None:
    program("run", "--dry-run", TMDB_TOKEN="", TMDB_NOTIFY_URL=hook.url)
    assert hook.received == []


def test_a_run_that_went_well_tells_nobody(program: Program, zone: Zone, hook: Hook) -> None:
    assert program("run", "--pages", "1", TMDB_NOTIFY_URL=hook.url).returncode == 0
    assert hook.received == []


@pytest.mark.parametrize(
    ("number", "code", "told"), [(signal.SIGTERM, 143, ["interrupted"]), (signal.SIGINT, 130, [])]
)
def test_a_run_that_was_ended_is_told_but_not_to_whom_pressed_ctrl_c(
    start: Start, tmdb: StandIn, zone: Zone, hook: Hook, number: signal.Signals, code: int, told: list[str]
) -> None:
    process = start(TMDB_NOTIFY_URL=hook.url)
    wait_for(lambda: tmdb.traffic.count("/3/movie/") >= 20)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert [content["status"] for content in hook.contents()] == told
    assert all(content["counts"]["landed"] == zone.last_run()["landed"] for content in hook.contents())


def test_a_webhook_that_is_absent_changes_nothing(program: Program) -> None:
    url = f"http://127.0.0.1:{free_port()}/{HOOK_KEY}"
    done = program("run", TMDB_TOKEN="", TMDB_NOTIFY_URL=url, TMDB_LOG_LEVEL="DEBUG")
    assert done.returncode == 2
    assert "WARNING could not tell http://127.0.0.1:" in done.stderr and "Traceback" not in done.stderr
    assert HOOK_KEY not in done.stderr
    # the error itself is said first: nobody waits for the webhook to read it
    assert done.stderr.index("no TMDB_TOKEN is set") < done.stderr.index("could not tell")


@pytest.mark.parametrize(
    "url",
    ["example.com/hush", "ftp://example.com/hush", "https:///hush", "http://h:99999/hush", "http://[x/hush"],
)
def test_an_address_that_is_none_is_wrong_use_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"TMDB_NOTIFY_URL must be an address") as error:
        notify.address(url)
    assert "hush" not in str(error.value) and error.value.exit_code == 2


def test_no_address_is_none() -> None:
    assert notify.address(None) is notify.address(" ") is None


class TestSend:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(notify, "_STEP_SECONDS", 0.3)
        monkeypatch.setattr(notify, "_ALL_SECONDS", 3.0)

    @pytest.mark.parametrize(
        ("statuses", "tries", "problem"),
        [
            ([200], 1, ""),
            ([500, 429, 204], 3, ""),
            ([503], 3, "it answered 503"),
            ([404], 1, "it answered 404"),
            ([307], 1, "it redirects (307), which is not followed"),
        ],
    )
    def test_what_it_answers(
        self,
        hook: Hook,
        caplog: pytest.LogCaptureFixture,
        statuses: list[int],
        tries: int,
        problem: str,
    ) -> None:
        caplog.set_level(logging.INFO)
        hook.statuses = statuses
        hook.location = f"{hook.origin}/elsewhere"
        assert notify.send(Secret(hook.url), {"text": "x"}) is not problem
        assert [path for path, _, _ in hook.received] == [f"/services/{HOOK_KEY}?room={HOOK_KEY}"] * tries
        said = [record.message for record in caplog.records if record.name == "common.notify"]
        assert len(said) == 1 and problem in said[0] and hook.origin in said[0]
        assert (caplog.records[-1].levelname == "WARNING") is bool(problem)
        assert HOOK_KEY not in caplog.text.replace(f"/services/{HOOK_KEY}?room={HOOK_KEY} ", "")

    def test_it_hangs(self, hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
        hook.hang = True
        assert not notify.send(Secret(hook.url), {"text": "x"})
        assert len(hook.received) == 3 and "no answer within 0.3 s, 3 times" in caplog.text

    def test_it_drips(
        self, hook: Hook, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(notify, "_ALL_SECONDS", 0.5)
        hook.drip = True
        assert not notify.send(Secret(hook.url), {"text": "x"})
        assert len(hook.received) == 1 and "no answer within 0.5 s" in caplog.text

    def test_what_is_sent_is_bounded_and_without_secrets(self) -> None:
        content: dict[str, Any] = notify.summary(
            Report(),
            step="extract",
            status="failed",
            exit_code=1,
            reason=f"{TOKEN} " + "a long\nstory " * 1000,
            secrets=[Secret(TOKEN)],
        )
        assert len(content["reason"]) == notify.MAX_REASON and "\n" not in content["text"]
        assert content["reason"].startswith("[redacted] a long story") and TOKEN not in str(content)
        assert content["run_id"] is content["mode"] is None and content["counts"]["requested"] == 0
