"""The Kubernetes manifests, checked without a cluster.

Each fits the Kubernetes JSON schemas, strictly; names that one manifest says of another exist; every pod has
the least rights; image, commands and variables are those of docker-compose.yml. What only a cluster knows is
not checked: quotas, storage classes, whether a network policy is enforced, whether the images start under
these rights.
"""

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from dotenv import dotenv_values

from tests.deploy.compose import load
from tests.deploy.test_compose import FILLED

VERSIONS = ("1.29", "1.32", "1.36")
OVERLAYS = ("base", "overlays/example", "overlays/external-postgres")
JOBS = {"roles": "roles", "elt": "elt", "metabase-apply": "metabase-setup"}
"""Manifest to compose service."""


@pytest.fixture(scope="module")
def folder(project_root: Path) -> Path:
    return project_root / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def manifests(folder: Path) -> list[dict[str, Any]]:
    kustomization = yaml.safe_load((folder / "base" / "kustomization.yaml").read_text())
    return [
        document
        for name in kustomization["resources"]
        for document in yaml.safe_load_all((folder / "base" / name).read_text())
    ]


@pytest.fixture(scope="module")
def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The pod template of each workload."""
    found = {}
    for manifest in manifests:
        spec = manifest["spec"]
        spec = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
        if "template" in spec:
            found[manifest["metadata"]["name"]] = spec["template"]
    return found


@pytest.fixture(scope="module")
def config(folder: Path) -> dict[str, dict[str, str]]:
    """The generated ConfigMaps of the base."""
    kustomization = yaml.safe_load((folder / "base" / "kustomization.yaml").read_text())
    return {
        made["name"]: dict(pair.split("=", 1) for pair in made["literals"])
        for made in kustomization["configMapGenerator"]
    }


def test_every_manifest_fits_the_schemas(manifests: list[dict[str, Any]], folder: Path) -> None:
    namespace = yaml.safe_load((folder / "overlays" / "example" / "namespace.yaml").read_text())
    for manifest in [*manifests, namespace]:
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):  # the schemas do tell a wrong field
        kubernetes_validate.validate({**manifests[0], "sepc": {}}, VERSIONS[0], strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_kustomize_makes_fits_them_too(overlay: str, folder: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip(
            "kubectl is not installed; the base's manifests are checked above, CI renders the overlays"
        )
    done = subprocess.run(
        [kubectl, "kustomize", str(folder / overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    for manifest in made:
        kubernetes_validate.validate(manifest, VERSIONS[1], strict=True)
    names = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in made}
    assert (("StatefulSet", "postgres") in names) == (overlay != "overlays/external-postgres")
    assert ("CronJob", "elt") in names
    if overlay != "base":
        assert {m["metadata"].get("namespace", "tmdb-elt") for m in made} == {"tmdb-elt"}
        assert "registry.example.com/tmdb-elt:0.2.0" in done.stdout
        assert "image: tmdb-elt\n" not in done.stdout
    if overlay == "overlays/external-postgres":
        hosts = [m["data"] for m in made if m["kind"] == "ConfigMap"]
        assert {d[k] for d in hosts for k in ("PGHOST", "MB_DB_HOST") if k in d} == {"db.example.com"}


def test_what_is_named_exists(
    manifests: list[dict[str, Any]],
    pods: dict[str, dict[str, Any]],
    config: dict[str, dict[str, str]],
    project_root: Path,
) -> None:
    example = (project_root / ".env.example").read_text()
    secrets = set(dotenv_values(stream=io.StringIO(example)))
    assert not [manifest for manifest in manifests if manifest["kind"] == "Secret"]
    for name, pod in pods.items():
        for container in pod["spec"]["containers"]:
            for variable in container.get("env", []):
                if wanted := variable.get("valueFrom", {}).get("secretKeyRef"):
                    assert wanted["name"] == "tmdb-elt"
                    # a key that nobody must set is commented out in the example
                    optional = wanted.get("optional") and f"\n#{wanted['key']}=\n" in example
                    assert wanted["key"] in secrets or optional, wanted
                else:
                    assert not re.search("PASSWORD|TOKEN|KEY|_PASS$", variable["name"]), variable
            for source in container.get("envFrom", []):
                assert source["configMapRef"]["name"] in config
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
            assert mounted - volumes == ({"data"} if name == "postgres" else set())
            if container.get("command", ["python"])[0] != "python":
                assert (project_root / container["command"][0]).is_file()
    services = {m["metadata"]["name"]: m["spec"] for m in manifests if m["kind"] == "Service"}
    for name, service in services.items():
        assert service["selector"].items() <= pods[name]["metadata"]["labels"].items()
        ports = {port["name"] for port in pods[name]["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["ports"]} <= ports
    assert {config["warehouse"]["PGHOST"], config["metabase"]["MB_DB_HOST"]} == {"postgres"} <= set(services)
    labelled = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods.values()}
    assert labelled == set(pods)
    for policy in (m for m in manifests if m["kind"] == "NetworkPolicy"):
        named = set(re.findall(r"'app\.kubernetes\.io/name': '([\w-]+)'", str(policy)))
        for values in re.findall(r"'values': \[([^]]*)\]", str(policy)):
            named |= set(re.findall(r"'([\w-]+)'", values))
        assert named <= labelled, policy["metadata"]["name"]


def test_every_pod_has_the_least_rights_and_bounds(pods: dict[str, dict[str, Any]]) -> None:
    assert set(pods) == {"postgres", "roles", "elt", "metabase", "metabase-apply"}
    for name, pod in pods.items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name
            assert ":latest" not in container["image"]
        if name in ("postgres", "metabase"):
            assert {"startupProbe", "readinessProbe"} <= spec["containers"][0].keys()


def test_the_daily_run_neither_overlaps_nor_piles_up(manifests: list[dict[str, Any]]) -> None:
    (cron,) = (m["spec"] for m in manifests if m["kind"] == "CronJob")
    assert cron["concurrencyPolicy"] == "Forbid"
    assert cron["timeZone"] == "Etc/UTC"
    assert cron["jobTemplate"]["spec"]["backoffLimit"] == 2
    assert cron["startingDeadlineSeconds"] < 86400
    assert {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"} <= cron.keys()
    assert cron["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_image_commands_and_variables_are_those_of_compose(
    pods: dict[str, dict[str, Any]], config: dict[str, dict[str, str]], project_root: Path
) -> None:
    services = load([project_root / "docker-compose.yml"], FILLED)["services"]

    def variables(name: str) -> dict[str, str | None]:
        (container,) = pods[name]["spec"]["containers"]
        found: dict[str, str | None] = {}
        for source in container.get("envFrom", []):
            found |= config[source["configMapRef"]["name"]]
        return found | {v["name"]: v.get("value") for v in container.get("env", [])}

    for name, service in JOBS.items():
        (container,) = pods[name]["spec"]["containers"]
        assert container["image"] == "tmdb-elt"
        assert container["command"] == services[service]["command"], name
    for name, service in (*JOBS.items(), ("metabase", "metabase"), ("postgres", "postgres")):
        theirs = services[service]["environment"]
        ours = variables(name)
        # what compose takes from .env with a default may be left to the program's own default
        needed = {v for v, value in theirs.items() if value in FILLED.values()}
        assert needed <= ours.keys(), name
        same = {v for v in ours.keys() & theirs.keys() if ours[v] is not None} - {
            "JAVA_TOOL_OPTIONS",
            "MB_SITE_URL",
        }
        assert {v: ours[v] for v in same} == {v: theirs[v] for v in same}, name
    for name in ("metabase", "postgres"):
        assert pods[name]["spec"]["containers"][0]["image"] == services[name]["image"]
    assert pods["postgres"]["spec"]["containers"][0]["args"] == services["postgres"]["command"][1:]
