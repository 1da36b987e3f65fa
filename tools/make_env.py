"""Make `.env` from `.env.example`, with a random value for each secret: ``python tools/make_env.py``.

Run again, it only adds secrets that are empty or missing, as after an upgrade: what is set stays.
Works before `make setup`, so it uses the standard library alone. Prints names, never values.
"""

import os
import re
import secrets
import string
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(".env.example")
TARGET = Path(".env")
NOT_OURS = {"TMDB_TOKEN"}
"""Empty in the example, and to be had from somebody else."""

_LINE = re.compile(r"^(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)$")
_LENGTH = 32
# nothing that a shell, a URL, YAML or compose's interpolation would read as its own
_ALPHABET = string.ascii_letters + string.digits


def secret_names(example: str) -> list[str]:
    """The variables that the example sets to nothing: each is to get a value of its own."""
    found = (_LINE.match(line) for line in example.splitlines())
    return [match[1] for match in found if match and not match[2].strip() and match[1] not in NOT_OURS]


def new_secret() -> str:
    """32 letters and digits, of each kind at least one (Metabase asks for a digit)."""
    while True:
        value = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if {*map(_kind, value)} == {"lower", "upper", "digit"}:
            return value


def _kind(character: str) -> str:
    return "digit" if character.isdigit() else "lower" if character.islower() else "upper"


def filled(text: str, names: list[str]) -> tuple[str, list[str]]:
    """The text with a value for each of the names that has none, and which these were."""
    made = []
    missing = set(names)
    lines = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[1] in missing:
            missing.discard(match[1])
            if not match[2].strip().strip("'\""):
                line = f"{match[1]}={new_secret()}"
                made.append(match[1])
        lines.append(line)
    if missing:
        lines += ["", "# Added by `make env`; .env.example says what each is."]
        for name in (name for name in names if name in missing):
            lines.append(f"{name}={new_secret()}")
            made.append(name)
    return "\n".join(lines) + "\n", made


def write(path: Path, text: str) -> None:
    """Replace the file at once; a new one is for its owner only."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".env.new")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(mode)
    Path(name).replace(path)


def main() -> int:
    """Exit code 1 when the file can't be read or written."""
    try:
        example = EXAMPLE.read_text(encoding="utf-8")
        names = secret_names(example)
        if not TARGET.exists():
            text, made = filled(example, names)
            write(TARGET, text)
            print(f"made .env with {len(made)} random passwords: put your TMDB token there")
            return 0
        text, made = filled(TARGET.read_text(encoding="utf-8"), names)
        if made:
            write(TARGET.resolve(), text)
            print(f".env is there already: added random values for {', '.join(made)}")
        else:
            print(".env is there already: left as it is")
        return 0
    except UnicodeDecodeError:
        print("make env: .env is not UTF-8 (but UTF-16 or Latin-1?): save it again as UTF-8", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"make env: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
