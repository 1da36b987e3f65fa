"""A run's figures as Markdown: ``extractor status --json | python tools/run_summary.py RESULTS``.

RESULTS is dbt's ``run_results.json``; where it is missing, dbt did not run, which the summary says.
``elt.json`` beside it, which ``tools/elt.py`` writes, tells how long each step took.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

_SLOWEST = 5


def extraction(status: dict[str, Any]) -> list[str]:
    """The newest run of the ledger, and why films failed on its date."""
    if not status["runs"]:
        return ["Nothing was extracted yet."]
    run = status["runs"][0]
    lines = [
        f"**Extract: {run['status']}** (run {run['run_id']}, {run['mode']}, {run['snapshot_date']})",
        "",
        "| asked | landed | gone | failed | retries | MB |",
        "| --: | --: | --: | --: | --: | --: |",
        f"| {run['requested']:,} | {run['landed']:,} | {run['not_found']:,} | {run['failed']:,}"
        f" | {run['retried']:,} | {run['bytes'] / 1e6:,.1f} |",
    ]
    if run["error"]:
        lines += ["", f"```\n{run['error']}\n```"]
    failures = [f for f in status["failures"] if f["snapshot_date"] == run["snapshot_date"]]
    lines += [
        f"- {failed['count']:,} × {failed['resource']}: {failed['reason']} (such as {failed['example_id']})"
        for failed in failures
    ]
    return lines


def build(results: dict[str, Any]) -> list[str]:
    """How many models and tests passed, which did not, and what took longest."""
    nodes = results["results"]
    counts = Counter(node["status"] for node in nodes)
    said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    bad = [node for node in nodes if node["status"] in ("error", "fail", "runtime error")]
    lines = [f"**dbt build: {'failed' if bad else 'done'}** in {results['elapsed_time']:.0f} s: {said}"]
    lines += [f"- {node['unique_id']}: {_first_line(node['message'])}" for node in bad]
    slowest = sorted(nodes, key=lambda node: -float(node["execution_time"]))[:_SLOWEST]
    lines += ["", "| slowest | s |", "| --- | --: |"]
    lines += [f"| {node['unique_id']} | {node['execution_time']:.1f} |" for node in slowest]
    return lines


def steps(figures: dict[str, Any]) -> list[str]:
    """How long each step took, and all of it: what `make elt` says in its last line."""
    lines = ["| step | s | of which |", "| --- | --: | --- |"]
    for step in figures["steps"]:
        parts = ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in step["parts"].items())
        lines.append(f"| {step['name']} | {step['seconds']:.1f} | {parts} |")
    return [*lines, f"| all of it | {figures['seconds']:.1f} | |"]


def _first_line(message: str | None) -> str:
    return (message or "").strip().partition("\n")[0]


def main() -> int:
    """Exit code 2 when standard input is not the extractor's status."""
    if len(sys.argv) != 2:
        print("usage: extractor status --json | python tools/run_summary.py RESULTS", file=sys.stderr)
        return 2
    try:
        status = json.load(sys.stdin)
        lines = extraction(status)
    except (ValueError, KeyError, TypeError) as error:
        print(f"run_summary: standard input is no status of the extractor: {error!r}", file=sys.stderr)
        return 2
    path = Path(sys.argv[1])
    if path.exists():
        lines += ["", *build(json.loads(path.read_text()))]
    else:
        lines += ["", "**dbt build: did not run**"]
    figures = path.with_name("elt.json")
    if figures.exists():
        lines += ["", *steps(json.loads(figures.read_text()))]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
