"""Writes the extractor's options into what documents them: `.env.example` and docs/configuration.md.

    python -m tools.options

The table in `extractor/options.py` is the only place where an option is said; a test runs `documented` and
expects nothing to change. In each file the lines between two marks are the table's, the rest is written by
hand.
"""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

from extractor.options import OPTIONS, Option
from warehouse.environment import PROJECT

_BEGIN = "The extractor's options, from extractor/options.py by `python -m tools.options`."
_END = "The end of the extractor's options."
_WIDTH = 108


def _sections() -> Iterator[tuple[str, list[Option]]]:
    for section in dict.fromkeys(option.section for option in OPTIONS):
        yield section, [option for option in OPTIONS if option.section == section]


def env_example() -> str:
    """The options as lines of `.env.example`: commented out with their default, but for the token."""
    lines: list[str] = []
    for section, options in _sections():
        lines += ["", f"# --- {section} ".ljust(_WIDTH, "-")]
        for option in options:
            lines += textwrap.wrap(option.help, _WIDTH, initial_indent="# ", subsequent_indent="# ")
            begin = "" if option.variable == "TMDB_TOKEN" else "#"
            lines.append(f"{begin}{option.variable}={option.default}")
    return "\n".join(lines[1:])


def table() -> str:
    """The options as tables in Markdown."""
    lines: list[str] = []
    for section, options in _sections():
        lines += [f"### {section}", "", "| variable | option | default | meaning |"]
        lines.append("| --- | --- | --- | --- |")
        for option in options:
            flag = f"`{option.flag}{f' {option.metavar}' if option.metavar else ''}`" if option.flag else ""
            default = f"`{option.default}`" if option.default else ""
            lines.append(f"| `{option.variable}` | {flag} | {default} | {option.help} |")
        lines.append("")
    return "\n".join(lines[:-1])


def documented() -> dict[Path, str]:
    """Each file with its text as it should be."""
    return {
        PROJECT / ".env.example": _between_marks(PROJECT / ".env.example", env_example, "# {}"),
        PROJECT / "docs" / "configuration.md": _between_marks(
            PROJECT / "docs" / "configuration.md", table, "<!-- {} -->", around="\n"
        ),
    }


def _between_marks(file: Path, content: Callable[[], str], mark: str, *, around: str = "") -> str:
    begin, end = mark.format(_BEGIN), mark.format(_END)
    text = file.read_text()
    if text.count(begin) != 1 or text.count(end) != 1:
        raise SystemExit(f"{file} must have one line {begin!r} and one line {end!r}")
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{around}{content()}\n{around}{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    for path, right in documented().items():
        path.write_text(right)
