"""The Helm chart, linted and rendered by Helm itself; no cluster.

What it renders fits the Kubernetes JSON schemas, strictly; names that one manifest says of another exist;
every pod has the least rights; image, commands and variables are those of docker-compose.yml; values that
cannot be are refused by name. What only a cluster knows is not checked: quotas, storage classes, whether a
network policy is enforced, whether the images start under these rights.
"""

import io
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from dotenv import dotenv_values

from tests.deploy.compose import load
from tests.deploy.helm import Helm, find
from tests.deploy.test_compose import FILLED
from tests.deploy.test_image import goes_into_the_image
from tests.left_out import slow_but

VERSIONS = ("1.29", "1.32", "1.36")
EXAMPLES = ("external-postgres", "ingress", "without-metabase")
SERVICES = {
    "roles": "roles",
    "day": "elt",
    "metabase": "metabase",
    "metabase-apply": "metabase-setup",
    "postgres": "postgres",
}
"""Component to compose service."""
OURS = ("roles", "day", "metabase-apply", "check")
"""The components whose image is the project's."""
NOT_OF_A_DAY = {
    "TMDB_BUILD_FOLDER",
    "TMDB_MAX_AGE",
    "TMDB_STATUS_JSON",
    "TMDB_LOAD_DATE",
    "TMDB_DUMP_FROM",
    "TMDB_DUMP_TO",
    "TMDB_KEEP_DAYS",
    "TMDB_ENV_FILE",
}
"""Variables of other commands than the day's, and what the image sets."""

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def chart(project_root: Path) -> Path:
    return project_root / "deploy" / "helm"


@pytest.fixture(scope="module")
def helm(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return find(project_root, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="module")
def manifests(helm: Helm, chart: Path) -> list[Manifest]:
    """What the defaults render."""
    return helm.template(chart)


@pytest.fixture(scope="module", params=slow_but(2, ["defaults", "everything", *EXAMPLES]))
def rendered(request: pytest.FixtureRequest, helm: Helm, chart: Path) -> list[Manifest]:
    """What each example renders, the defaults, and every option that renders something further."""
    if request.param == "everything":
        return helm.template(chart, "--values", str(_everything(helm.home)), release="r" * 53)
    if request.param == "defaults":
        return helm.template(chart)
    return helm.template(chart, values=[chart / "examples" / f"{request.param}.yaml"])


def _everything(folder: Path) -> Path:
    """Values in which every list and map has a member, and every text a content."""
    pod = {
        "podAnnotations": {"example.com/note": "x"},
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "films", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]
                }
            }
        },
        "priorityClassName": "low",
        "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"memory": "2Gi"}},
    }
    peers = [{"namespaceSelector": {"matchLabels": {"team": "films"}}}]
    egress = [{"to": peers, "ports": [{"protocol": "TCP", "port": 8080}]}]
    variables = [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]
    values = {
        "imagePullSecrets": [{"name": "my-registry"}],
        "secret": {"from": {"WAREHOUSE_PASSWORD": {"name": "vault", "key": "pw"}}},
        "postgres": {**pod, "persistence": {"storageClass": "fast", "whenDeleted": "Delete"}},
        "roles": pod,
        "day": {
            **pod,
            "args": ["--limit", "10"],
            "extraEnv": variables,
            "extraVolumes": [{"name": "ids", "configMap": {"name": "film-ids"}}],
            "extraVolumeMounts": [{"name": "ids", "mountPath": "/ids", "readOnly": True}],
        },
        "tmdb": {"TMDB_LIMIT": 2_000_000, "TMDB_MIN_POPULARITY": 0.5, "TMDB_MAX_RPS": "", "TMDB_PAGES": "7"},
        "metabase": {
            **pod,
            "extraEnv": variables,
            "service": {"type": "LoadBalancer", "port": 80, "annotations": {"example.com/note": "x"}},
            "ingress": {
                "enabled": True,
                "host": "films.example.com",
                "className": "nginx",
                "tlsSecret": "tls",
                "annotations": {"example.com/note": "x"},
            },
            "apply": pod,
        },
        "check": pod,
        "networkPolicy": {
            "dayEgress": egress,
            "metabaseEgress": egress,
            "metabaseClients": peers,
            "postgresClients": peers,
        },
    }
    path = folder / "everything.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def pods(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Each pod's component, and its pod or pod template."""
    for manifest in manifests:
        spec = manifest.get("spec", {})
        spec = spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec
        template = manifest if manifest["kind"] == "Pod" else spec.get("template")
        if template:
            yield template["metadata"]["labels"]["app.kubernetes.io/component"], template


def variables(pod: Manifest) -> dict[str, str | None]:
    """The variables of a pod's one container; None for those out of a Secret."""
    (container,) = pod["spec"]["containers"]
    found = [variable["name"] for variable in container["env"]]
    assert len(found) == len(set(found)), found
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def test_helm_finds_nothing_to_complain_of(helm: Helm, chart: Path, tmp_path: Path) -> None:
    done = helm.run("lint", "--strict", str(chart))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout
    packed = helm.run("package", str(chart), "--destination", str(tmp_path))
    assert packed.returncode == 0, packed.stderr


def test_every_manifest_fits_the_schemas(rendered: list[Manifest]) -> None:
    for manifest in rendered:
        for version in VERSIONS:
            kubernetes_validate.validate(manifest, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):  # the schemas do tell a wrong field
        kubernetes_validate.validate({**rendered[0], "sepc": {}}, VERSIONS[0], strict=True)


def test_names_are_short_enough_and_the_releases_own(rendered: list[Manifest]) -> None:
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in rendered]
    assert len(names) == len(set(names))
    for kind, name in names:
        assert len(name) <= (52 if kind == "CronJob" else 63), name
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name), name


def test_what_is_named_exists(rendered: list[Manifest], chart: Path, project_root: Path) -> None:
    example = (project_root / ".env.example").read_text()
    documented = set(dotenv_values(stream=io.StringIO(example)))
    assert not of_kind(rendered, "Secret")
    by_component = dict(pods(rendered))
    for component, pod in by_component.items():
        (container,) = pod["spec"]["containers"]
        for variable in container["env"]:
            if wanted := variable.get("valueFrom", {}).get("secretKeyRef"):
                if wanted["name"] == "vault":
                    assert (variable["name"], wanted["key"]) in {
                        ("PGPASSWORD", "pw"),
                        ("WAREHOUSE_PASSWORD", "pw"),
                    }
                    continue
                assert wanted["name"] == "tmdb-elt"
                # a key that nobody must set is commented out in the example
                optional = wanted.get("optional") and f"\n#{wanted['key']}=\n" in example
                assert wanted["key"] in documented or optional, wanted
            else:
                assert not re.search("PASSWORD|TOKEN|KEY|_PASS$", variable["name"]), variable
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        assert mounted - volumes == ({"data"} if component == "postgres" else set())
        assert volumes <= mounted
        if component in OURS:
            rules = [
                line
                for line in (project_root / ".dockerignore").read_text().splitlines()
                if line and not line.startswith("#")
            ]
            for word in container["command"]:
                if "/" in word and not word.startswith("parsed/"):  # which the image's build makes
                    assert (project_root / word).is_file() and goes_into_the_image(word, rules), word

    services = {m["metadata"]["name"]: m["spec"] for m in of_kind(rendered, "Service")}
    for service in services.values():
        pod = by_component[service["selector"]["app.kubernetes.io/component"]]
        assert service["selector"].items() <= pod["metadata"]["labels"].items()
        ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["ports"]} <= ports
    for pod in by_component.values():
        host = variables(pod).get("PGHOST") or variables(pod).get("MB_DB_HOST")
        assert host is None or host in services or host == "db.example.com"
        if url := variables(pod).get("METABASE_URL"):
            host, _, port = url.removeprefix("http://").partition(":")
            assert services[host]["ports"][0]["port"] == int(port)
    for ingress in of_kind(rendered, "Ingress"):
        backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        assert backend["port"]["name"] in {port["name"] for port in services[backend["name"]]["ports"]}
    for policy in of_kind(rendered, "NetworkPolicy"):
        named = set(re.findall(r"'app\.kubernetes\.io/component': '([\w-]+)'", str(policy["spec"])))
        assert named <= by_component.keys(), policy["metadata"]["name"]
    for manifest in rendered:
        if selector := manifest.get("spec", {}).get("selector", {}).get("matchLabels"):
            template = manifest["spec"]["template"]["metadata"]["labels"]
            # a label that changes with the version would make upgrades impossible
            assert selector == template and "version" not in str(selector)


def test_every_pod_has_the_least_rights_and_bounds(rendered: list[Manifest]) -> None:
    for component, pod in pods(rendered):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, component
        assert spec["securityContext"]["runAsNonRoot"] is True, component
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, component
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, component
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), component
        assert "memory" in container["resources"]["limits"], component
        assert ":latest" not in container["image"]
        if component in ("postgres", "metabase"):
            assert {"startupProbe", "readinessProbe"} <= container.keys()


def test_pods_are_cut_off_but_for_what_they_need(manifests: list[Manifest]) -> None:
    policies = {
        m["metadata"]["name"].removeprefix("tmdb-elt-"): m["spec"] for m in manifests if "Net" in m["kind"]
    }
    components = {component for component, _ in pods(manifests)}
    base = policies.pop("names-only")
    assert base["podSelector"]["matchLabels"].keys() == {
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
    }
    assert base["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in base
    for _, pod in pods(manifests):
        assert base["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()

    def chosen(policy: Manifest) -> set[str]:
        selector = policy["podSelector"]
        (expression,) = selector.get("matchExpressions", [{"values": [None]}])
        return {selector["matchLabels"].get("app.kubernetes.io/component"), *expression["values"]} - {None}

    allowed = {name: chosen(policy) for name, policy in policies.items()}
    clients = {"roles", "day", "metabase", "check"}
    assert allowed == {
        "to-postgres": clients,
        "postgres": {"postgres"},
        "day": {"day"},
        "metabase": {"metabase"},
        "to-metabase": {"metabase-apply"},
    }
    needing = {
        c for c, pod in pods(manifests) if "PGPASSWORD" in variables(pod) or "MB_DB_HOST" in variables(pod)
    }
    assert needing == clients and components == clients | {"postgres", "metabase-apply"}


def test_the_daily_run_neither_overlaps_nor_piles_up(manifests: list[Manifest]) -> None:
    (cron,) = (manifest["spec"] for manifest in of_kind(manifests, "CronJob"))
    assert cron["concurrencyPolicy"] == "Forbid"
    assert cron["timeZone"] == "Etc/UTC"
    assert cron["startingDeadlineSeconds"] < 86400
    assert {"successfulJobsHistoryLimit", "failedJobsHistoryLimit"} <= cron.keys()
    assert cron["jobTemplate"]["spec"]["backoffLimit"] == 2
    assert cron["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_an_upgrade_makes_new_jobs_and_no_first_day(
    helm: Helm, chart: Path, manifests: list[Manifest]
) -> None:
    def jobs(made: list[Manifest]) -> set[str]:
        return {manifest["metadata"]["name"] for manifest in of_kind(made, "Job")}

    upgraded = helm.template(chart, "--is-upgrade")
    assert "tmdb-elt-day-first" in jobs(manifests) - jobs(upgraded)
    assert "tmdb-elt-day-first" not in jobs(helm.template(chart, "--set", "day.runOnInstall=false"))
    # Jobs are immutable: another content is another Job
    other = jobs(helm.template(chart, "--set", "image.tag=next"))
    assert not {name for name in jobs(manifests) & other if "first" not in name}


def test_image_commands_and_variables_are_those_of_compose(
    manifests: list[Manifest], project_root: Path
) -> None:
    services = load([project_root / "docker-compose.yml"], FILLED)["services"]
    by_component = dict(pods(manifests))
    hosts = {"postgres": "tmdb-elt-postgres", "http://metabase:3000": "http://tmdb-elt-metabase:3000"}
    for component, service in SERVICES.items():
        (container,) = by_component[component]["spec"]["containers"]
        theirs = services[service]["environment"]
        ours = variables(by_component[component])
        # what compose takes from .env with a default may be left to the program's own default
        needed = {name for name, value in theirs.items() if value in FILLED.values()}
        assert needed <= ours.keys(), component
        # without a value, compose passes on what .env has
        same = {
            name
            for name in ours.keys() & theirs.keys()
            if ours[name] is not None and theirs[name] is not None
        }
        same -= {"JAVA_TOOL_OPTIONS", "MB_SITE_URL", "TMDB_PROGRESS_SECONDS"}
        for name in same:
            wanted = (
                hosts.get(theirs[name], theirs[name])
                if name not in ("PGUSER", "MB_DB_TYPE")
                else theirs[name]
            )
            assert ours[name] == wanted, (component, name)
        if component in OURS:
            assert container["command"] == services[service]["command"], component
        else:
            assert container["image"] == services[service]["image"]
    assert set(by_component["postgres"]["spec"]["containers"][0]["args"]) == set(
        services["postgres"]["command"][1:]
    )


def test_the_version_is_the_programs(manifests: list[Manifest], chart: Path, project_root: Path) -> None:
    version = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]["version"]
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    assert (about["version"], about["appVersion"]) == (version, version)
    for component, pod in pods(manifests):
        if component in OURS:
            assert pod["spec"]["containers"][0]["image"] == f"tmdb-elt:{version}"
    told = re.findall(r"tmdb-elt:(\d\S*?)[`\s]", (chart / "README.md").read_text())
    assert set(told) == {version}


def test_every_variable_that_the_day_reads_can_be_set(helm: Helm, chart: Path, project_root: Path) -> None:
    """A new one of .env.example belongs into values.schema.json, or into NOT_OF_A_DAY above."""
    example = (project_root / ".env.example").read_text()
    documented = dict(re.findall(r"^#?(TMDB_[A-Z_]+)=(.*)$", example, flags=re.MULTILINE))
    schema = json.loads((chart / "values.schema.json").read_text())["properties"]
    assert set(schema["tmdb"]["properties"]) == documented.keys() - NOT_OF_A_DAY - set(
        schema["secret"]["properties"]["from"]["properties"]
    )
    given = {
        **{
            name: default or "1"
            for name, default in documented.items()
            if name in schema["tmdb"]["properties"]
        },
        "TMDB_SNAPSHOT_DATE": "2026-01-02",
        "TMDB_DISCOVER": "with_original_language=fr",
        "TMDB_REGION": "FR",
        "TMDB_IDS_FILE": "/ids/films.txt",
    }
    values = helm.home / "documented.yaml"
    values.write_text("tmdb:\n" + "".join(f"  {name}: {value}\n" for name, value in given.items()))
    for component, pod in pods(helm.template(chart, values=[values])):
        if component == "day":
            assert {name: value for name, value in variables(pod).items() if name in given} == given


def test_numbers_stay_as_they_were_written(helm: Helm, chart: Path) -> None:
    """Helm reads 2000000 as a float, whose text is 2e+06."""
    made = dict(pods(helm.template(chart, values=[_everything(helm.home)])))
    day = variables(made["day"])
    assert (day["TMDB_LIMIT"], day["TMDB_MIN_POPULARITY"], day["TMDB_PAGES"]) == ("2000000", "0.5", "7")
    assert "TMDB_MAX_RPS" not in day  # empty: the program's own default
    assert day["HTTPS_PROXY"] == "http://proxy:3128"
    assert variables(made["metabase"])["MB_SITE_URL"] == "https://films.example.com"


def test_an_external_server_takes_the_place_of_ours(helm: Helm, chart: Path) -> None:
    made = helm.template(chart, values=[chart / "examples" / "external-postgres.yaml"])
    by_component = dict(pods(made))
    assert not {"postgres", "roles"} & by_component.keys()
    for component in ("day", "check", "metabase-apply"):
        found = variables(by_component[component])
        assert (found["PGHOST"], found["PGSSLMODE"]) == ("db.example.com", "verify-full")
        assert found["PGSSLROOTCERT"] == "/etc/postgres-ca/ca.crt"
    assert variables(by_component["metabase"])["MB_DB_CONNECTION_URI"] == (
        "jdbc:postgresql://db.example.com:5432/metabase?sslmode=verify-full&sslrootcert=/etc/postgres-ca/ca.crt"
    )
    for component in ("day", "check", "metabase", "metabase-apply"):
        (container,) = by_component[component]["spec"]["containers"]
        assert "/etc/postgres-ca" in {mount["mountPath"] for mount in container["volumeMounts"]}
    (policy,) = (m["spec"] for m in made if m["metadata"]["name"] == "tmdb-elt-to-postgres")
    assert policy["egress"][0]["to"] == [{"ipBlock": {"cidr": "192.0.2.10/32"}}]
    ours = dict(pods(helm.template(chart, *_sets("networkPolicy.enabled=false", *_EXTERNAL))))
    assert variables(ours["roles"])["PGUSER"] == "admin"
    assert "PGSSLROOTCERT" not in variables(ours["day"])


_EXTERNAL = (
    "postgres.enabled=false",
    "externalPostgres.host=db.example.com",
    "externalPostgres.superuser=admin",
)


def _sets(*settings: str) -> list[str]:
    return [word for setting in settings for word in ("--set-json" if "=[" in setting else "--set", setting)]


def test_without_metabase_nothing_of_it_is_left(helm: Helm, chart: Path) -> None:
    made = helm.template(chart, values=[chart / "examples" / "without-metabase.yaml"])
    assert {component for component, _ in pods(made)} == {"postgres", "roles", "day", "check"}
    assert not [m for m in made if m["metadata"]["name"].endswith("metabase")]


def test_two_releases_share_nothing_but_the_secret(helm: Helm, chart: Path) -> None:
    names = [
        {(m["kind"], m["metadata"]["name"]) for m in helm.template(chart, release=release)}
        for release in ("one", "two")
    ]
    assert not names[0] & names[1]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["tmdb.TMDB_PAGE=3"], "TMDB_PAGE is not allowed"),
        (["tmdb.TMDB_TOKEN=eyJ"], "TMDB_TOKEN is not allowed"),
        (["tmdb.TMDB_PAGES=0"], "tmdb.TMDB_PAGES: Must be greater than or equal to 1"),
        (["tmdb.TMDB_PAGES=many"], "tmdb.TMDB_PAGES: Does not match pattern"),
        (["tmdb.TMDB_MODE=all"], "tmdb.TMDB_MODE"),
        (["tmdb.TMDB_SNAPSHOT_DATE=today"], "tmdb.TMDB_SNAPSHOT_DATE"),
        (["tmdb.TMDB_BASE_URL=https://me:secret@example.com"], "tmdb.TMDB_BASE_URL"),
        (["day.schedule=daily"], "day.schedule"),
        (["day.backoffLimit=-1"], "day.backoffLimit"),
        (['day.extraEnv=[{"value":"x"}]'], "day.extraEnv.0: name is required"),
        (["secret.password=x"], "password is not allowed"),
        (["secret.name=Not A Name"], "secret.name"),
        (["secret.from.PASSWORD.name=x"], "PASSWORD is not allowed"),
        (["database=tmdb;drop"], "database"),
        (["image.tag=latest"], "image.tag"),
        (["image.pullPolicy=Sometimes"], "image.pullPolicy"),
        (["postgres.runAsUser=0"], "postgres.runAsUser"),
        (["postgres.persistence.size=big"], "postgres.persistence.size"),
        (["postgres.enabled=false"], "externalPostgres.host"),
        (["postgres.enabled=maybe"], "postgres.enabled"),
        (["postgres.resources=null"], "resources is required"),
        (list(_EXTERNAL), "networkPolicy.postgresServer"),
        (
            [*_EXTERNAL, "networkPolicy.enabled=false", "externalPostgres.sslmode=verify-full"],
            "externalPostgres.ca.secret",
        ),
        (["externalPostgres.port=70000"], "externalPostgres.port"),
        (["metabase.ingress.enabled=true"], "metabase.ingress.host"),
        (["metabase.adminEmail=me"], "metabase.adminEmail"),
        (["metabase.apply.wait=0"], "metabase.apply.wait"),
        (["metabse.enabled=false"], "metabse is not allowed"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(
    settings: list[str], said: str, helm: Helm, chart: Path
) -> None:
    done = helm.run("template", "tmdb-elt", str(chart), *_sets(*settings))
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert said in done.stderr


def test_every_value_has_a_type_and_every_key_is_closed(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    values = yaml.safe_load((chart / "values.yaml").read_text())
    jsonschema.validate(values, schema)

    def same(value: Any, rule: Any, path: str) -> None:
        rule = schema["definitions"][rule["$ref"].rpartition("/")[2]] if "$ref" in rule else rule
        if "properties" in rule and path != "tmdb":
            assert rule["additionalProperties"] is False, path
            # `global` is Helm's
            given = value.keys() | ({"global"} if not path else set())
            if path not in ("secret.from",) and "resources" not in path:
                assert rule["properties"].keys() == given, path
            for key in value:
                same(value[key], rule["properties"][key], f"{path}.{key}".strip("."))

    same(values, schema, "")


def test_the_notes_say_where_everything_is(helm: Helm, chart: Path, tmp_path: Path) -> None:
    """`helm template` leaves notes out, and `helm install` wants a cluster: here they become a manifest."""
    copied = tmp_path / "chart"
    shutil.copytree(chart, copied)
    text = (copied / "templates" / "NOTES.txt").read_text()
    (copied / "templates" / "notes.yaml").write_text(
        '{{ define "notes" }}' + text + '{{ end }}kind: Notes\ntext: {{ include "notes" . | toJson }}\n'
    )

    def notes(*options: str) -> str:
        done = helm.run("template", "tmdb-elt", str(copied), "--namespace", "films", *options)
        assert done.returncode == 0, done.stderr
        (found,) = (made for made in yaml.safe_load_all(done.stdout) if made["kind"] == "Notes")
        return found["text"]

    plain = notes()
    assert "kubectl --namespace films logs --follow job/tmdb-elt-day-first" in plain
    assert "helm test tmdb-elt --namespace films --logs" in plain
    assert "port-forward service/tmdb-elt-metabase 3000:3000" in plain
    assert "logs --follow" not in notes("--is-upgrade")
    behind = notes(*_sets("metabase.ingress.enabled=true", "metabase.ingress.host=films.example.com"))
    assert "http://films.example.com/" in behind
    assert "name its controller in networkPolicy.metabaseClients" in behind
    assert "Metabase" not in notes("--set", "metabase.enabled=false")
