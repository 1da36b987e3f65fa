"""The GitHub workflows, checked without GitHub: schema, zizmor's audits, and rules of our own."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

NAMES = ("ci", "daily", "docs")
PINS = re.compile(r"^\s*(?:- )?uses: (\S+)@([0-9a-f]{40}) # (v\d[\d.]*)$")


@pytest.fixture(scope="module")
def folder(project_root: Path) -> Path:
    return project_root / ".github"


@pytest.fixture(scope="module")
def workflows(folder: Path) -> dict[str, dict[str, Any]]:
    # BaseLoader: `on` is a word here, not a boolean
    return {
        name: yaml.load((folder / "workflows" / f"{name}.yml").read_text(), yaml.BaseLoader) for name in NAMES
    }


def program(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_they_fit_their_schema_and_pass_the_audits(folder: Path) -> None:
    files = sorted((folder / "workflows").glob("*.yml"))
    assert [file.stem for file in files] == sorted(NAMES)
    checked = program("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    checked = program("check-jsonschema", "--builtin-schema", "vendor.dependabot", folder / "dependabot.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    audited = program("zizmor", "--offline", "--no-progress", folder)
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_actions_are_pinned_by_commit_one_for_each(folder: Path) -> None:
    pins: dict[str, set[str]] = {}
    for file in (folder / "workflows").glob("*.yml"):
        for line in file.read_text().splitlines():
            if "uses:" in line:
                found = PINS.match(line)
                assert found, line
                pins.setdefault(found[1], set()).add(f"{found[2]} {found[3]}")
    assert {action: len(seen) for action, seen in pins.items()} == dict.fromkeys(pins, 1)
    assert all(action.startswith("actions/") for action in pins)


def test_each_job_has_the_least_rights_and_an_end(workflows: dict[str, dict[str, Any]]) -> None:
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {}, name
        assert workflow["concurrency"]["group"].startswith(name)
        for job, body in workflow["jobs"].items():
            assert int(body["timeout-minutes"]) <= 120, job
            writes = {right for right, level in body["permissions"].items() if level == "write"}
            assert writes == ({"pages", "id-token"} if job == "publish" else set()), job
            for step in body["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] == "false"
                # what GitHub puts into a script's text is run by the shell
                assert "${{" not in step.get("run", ""), step


def test_the_tests_run_on_every_supported_python_and_server(
    workflows: dict[str, dict[str, Any]], project_root: Path
) -> None:
    jobs = workflows["ci"]["jobs"]
    assert jobs["embedded"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert 'requires-python = ">=3.11"' in (project_root / "pyproject.toml").read_text()
    assert jobs["server"]["strategy"]["matrix"]["postgres"] == ["16", "17"]


def test_what_they_run_exists(workflows: dict[str, dict[str, Any]], project_root: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (project_root / "Makefile").read_text(), re.MULTILINE))
    for workflow in workflows.values():
        for body in workflow["jobs"].values():
            for step in body["steps"]:
                text = step.get("run", "")
                assert set(re.findall(r"^\s*make ([a-z-]+)", text, re.MULTILINE)) <= targets, text
                for path in re.findall(r"\b((?:tools|deploy|requirements|dbt_project)/[\w./-]+)", text):
                    if "/target/" not in path:
                        assert (project_root / path).exists(), path
    secrets = set(re.findall(r"secrets\.([A-Z_]+)", json.dumps(workflows["daily"])))
    told = (project_root / ".github" / "workflows" / "daily.yml").read_text().split("name: daily")[0]
    assert all(secret in told for secret in secrets)


STATUS = {
    "runs": [
        {
            "run_id": 7,
            "mode": "popular",
            "snapshot_date": "2026-01-02",
            "status": "failed",
            "requested": 1003,
            "landed": 990,
            "not_found": 2,
            "failed": 11,
            "retried": 40,
            "bytes": 5_400_000,
            "error": "more than 1 % of the films failed",
        }
    ],
    "failures": [
        {"snapshot_date": d, "resource": "movie", "reason": "http 500", "count": 11, "example_id": 603}
        for d in ("2026-01-02", "2025-12-31")
    ],
}
RESULTS = {
    "elapsed_time": 12.6,
    "results": [
        {"unique_id": "model.tmdb.dim_movie", "status": "success", "message": "", "execution_time": 3.21},
        {"unique_id": "test.tmdb.x", "status": "fail", "message": "Got 2\nrows", "execution_time": 0.1},
    ],
}
FIGURES = {
    "seconds": 41.26,
    "exit_code": 1,
    "steps": [
        {"name": "extract", "seconds": 12.34, "exit_code": 0, "parts": {}},
        {"name": "dbt build", "seconds": 28.1, "exit_code": 1, "parts": {"models": 9.1, "tests": 10.0}},
    ],
}


def summary(project_root: Path, given: str, results: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, project_root / "tools" / "run_summary.py", results],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_summary_has_the_runs_figures(project_root: Path, tmp_path: Path) -> None:
    results = tmp_path / "run_results.json"
    results.write_text(json.dumps(RESULTS))
    (tmp_path / "elt.json").write_text(json.dumps(FIGURES))
    said = summary(project_root, json.dumps(STATUS), results)
    assert said.returncode == 0, said.stderr
    for text in (
        "**Extract: failed** (run 7, popular, 2026-01-02)",
        "| 1,003 | 990 | 2 | 11 | 40 | 5.4 |",
        "more than 1 % of the films failed",
        "- 11 × movie: http 500 (such as 603)",
        "**dbt build: failed** in 13 s: 1 fail, 1 success",
        "- test.tmdb.x: Got 2\n",
        "| model.tmdb.dim_movie | 3.2 |",
        "| extract | 12.3 |  |\n| dbt build | 28.1 | models 9.1, tests 10.0 |\n| all of it | 41.3 | |",
    ):
        assert said.stdout.count(text) == 1, said.stdout
    results.unlink()
    (tmp_path / "elt.json").unlink()
    assert "dbt build: did not run" in summary(project_root, json.dumps(STATUS), results).stdout
    empty = json.dumps({"runs": [], "failures": []})
    assert "Nothing was extracted yet" in summary(project_root, empty, results).stdout
    assert summary(project_root, "no JSON", results).returncode == 2
