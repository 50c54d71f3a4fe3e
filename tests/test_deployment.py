"""What compose and the cluster are told is there: projects, extras, settings, files, probes."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from common.settings import Settings, describe_settings
from p1_prediction_api.settings import Settings as P1Settings
from p2_nn_service.settings import Settings as P2Settings
from p3_rag_chatbot.settings import Settings as P3Settings

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {
    name: one for name, one in SERVICES.items() if "PROJECT" in one.get("build", {}).get("args", {})
}
PROJECTS = sorted(path.parent for path in (ROOT / "projects").glob("*/pyproject.toml"))
ON_THE_CLUSTER: dict[str, Settings] = {
    "p1": P1Settings(),
    "p2": P2Settings(),
    "p3": P3Settings(),
}


def declared(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_project_is_a_service_of_the_composed_system() -> None:
    built = {one["build"]["args"]["PROJECT"] for one in OURS.values() if "ports" in one}
    assert built == {project.name for project in PROJECTS}


def test_a_project_brings_nothing_into_its_wheel_that_the_image_is_not_built_from() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    left_out = {rule.removeprefix("**/") for rule in rules if rule.startswith("**/")}
    assert "tests" in left_out
    for project in PROJECTS:
        wheel = declared(project)["tool"]["hatch"]["build"]["targets"]["wheel"]
        assert not left_out & set(wheel.get("force-include", {})), project.name


@pytest.mark.parametrize("name", OURS)
def test_an_image_is_built_from_a_project_and_its_extras(name: str) -> None:
    arguments = OURS[name]["build"]["args"]
    project = declared(ROOT / "projects" / arguments["PROJECT"])["project"]
    offered = project.get("optional-dependencies", {})
    assert set(arguments.get("EXTRAS", "").split()) <= set(offered)


@pytest.mark.parametrize("name", OURS)
def test_an_image_is_set_by_settings_that_exist_and_has_the_driver_it_needs(name: str) -> None:
    own = ON_THE_CLUSTER.get(name, Settings())
    known = {row.variable for row in describe_settings(own)}
    given = OURS[name].get("environment", {})
    assert {key for key in given if re.match(r"ROADMAP_|P\d_", key)} <= known
    needs_driver = "ROADMAP_DATABASE_URL" in given
    extras = OURS[name]["build"]["args"].get("EXTRAS", "").split()
    assert not needs_driver or {"postgres", "pgvector"} & set(extras)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    assert OURS[name]["build"]["args"].get("WEIGHTS", "weights") in groups


@pytest.mark.parametrize("name", OURS)
def test_an_image_runs_without_rights_on_a_file_system_it_cannot_write(name: str) -> None:
    one = OURS[name]
    assert one["read_only"]
    assert (one["cap_drop"], one["tmpfs"]) == (["ALL"], ["/tmp"])
    assert any(volume.endswith(":/data") for volume in one["volumes"])


def test_what_is_mounted_built_and_waited_for_is_there() -> None:
    for name, one in SERVICES.items():
        folders = [volume.split(":")[0] for volume in one.get("volumes", ())]
        assert all((DOCKER / f).exists() for f in folders if f.startswith("."))
        assert {f for f in folders if not f.startswith(".")} <= set(COMPOSE["volumes"])
        assert "build" not in one or (ROOT / one["build"]["dockerfile"]).is_file()
        assert set(one.get("depends_on", ())) <= set(SERVICES), name
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ())), name


def test_prometheus_scrapes_every_service_of_ours_that_listens() -> None:
    config = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    jobs = {
        job["job_name"]: target["targets"]
        for job in config["scrape_configs"]
        for target in job["static_configs"]
    }
    assert jobs == {name: [f"{name}:8000"] for name, one in OURS.items() if "ports" in one}


IMAGE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
KUSTOMIZATION = yaml.safe_load((DOCKER / "kubernetes/kustomization.yaml").read_text("utf-8"))


def cluster(name: str, kind: str) -> dict[str, Any]:
    text = (DOCKER / f"kubernetes/{name}.yaml").read_text(encoding="utf-8")
    (found,) = (one for one in yaml.safe_load_all(text) if one["kind"] == kind)
    assert found["metadata"]["name"] == name
    return found


def test_what_the_cluster_is_told_to_run_is_what_is_tested_here() -> None:
    assert KUSTOMIZATION["resources"] == [f"{name}.yaml" for name in ON_THE_CLUSTER]


@pytest.mark.parametrize("name", ON_THE_CLUSTER)
def test_on_a_cluster_a_replica_is_asked_what_the_service_answers(name: str) -> None:
    pod = cluster(name, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > pause + Settings().shutdown_grace_s
    assert container["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert [one["name"] for one in container["ports"]] == ["http"]
    assert f"EXPOSE {container['ports'][0]['containerPort']}\n" in IMAGE


@pytest.mark.parametrize("name", ON_THE_CLUSTER)
def test_on_a_cluster_a_replica_has_no_rights_and_writes_where_it_may_alone(name: str) -> None:
    pod = cluster(name, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert not pod["automountServiceAccountToken"]
    assert pod["securityContext"]["runAsNonRoot"]
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:{pod['securityContext']['fsGroup']}\n" in IMAGE
    may = container["securityContext"]
    assert may["readOnlyRootFilesystem"]
    assert (may["allowPrivilegeEscalation"], may["capabilities"]) == (False, {"drop": ["ALL"]})
    mounted = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert set(mounted.values()) == {"/data", "/tmp"}
    assert mounted.keys() == {one["name"] for one in pod["volumes"]}


@pytest.mark.parametrize("name", ON_THE_CLUSTER)
def test_on_a_cluster_settings_and_secrets_come_by_the_name_of_the_service(name: str) -> None:
    (container,) = cluster(name, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert "env" not in container, "a secret's value has no place in a manifest"
    sources = {kind: ref for one in container["envFrom"] for kind, ref in one.items()}
    assert sources == {
        "configMapRef": {"name": name},
        "secretRef": {"name": name, "optional": True},
    }
    text = (DOCKER / f"kubernetes/{name}.yaml").read_text(encoding="utf-8")
    secret = set(re.findall(r"ROADMAP_(?:DATABASE_URL|API_KEYS)", text))
    assert secret
    assert secret <= {row.variable for row in describe_settings(ON_THE_CLUSTER[name])}


@pytest.mark.parametrize("name", ON_THE_CLUSTER)
def test_on_a_cluster_a_replica_asks_for_a_core_and_memory_and_is_held_to_its_memory(
    name: str,
) -> None:
    (container,) = cluster(name, "Deployment")["spec"]["template"]["spec"]["containers"]
    asked, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert asked.keys() == {"cpu", "memory"}
    assert limits.keys() == {"memory"}, "a limit of processor time makes every answer wait"
    assert n_bytes(asked["memory"]) < n_bytes(limits["memory"])


def test_on_a_cluster_a_replica_of_p3_has_room_for_a_document_beside_itself() -> None:
    (container,) = cluster("p3", "Deployment")["spec"]["template"]["spec"]["containers"]
    resources = container["resources"]
    room = n_bytes(resources["limits"]["memory"]) - n_bytes(resources["requests"]["memory"])
    assert room >= P3Settings().load_memory_bytes


def n_bytes(quantity: str) -> int:
    number, unit = int(quantity[:-2]), quantity[-2:]
    return number * {"Mi": 2**20, "Gi": 2**30}[unit]


@pytest.mark.parametrize("name", ON_THE_CLUSTER)
def test_on_a_cluster_requests_find_the_replicas_and_a_drain_leaves_one(name: str) -> None:
    labels = cluster(name, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert cluster(name, "Service")["spec"]["selector"] == labels
    budget = cluster(name, "PodDisruptionBudget")["spec"]
    assert (budget["selector"]["matchLabels"], budget["minAvailable"]) == (labels, 1)


@pytest.mark.parametrize("name", ON_THE_CLUSTER)
def test_the_cluster_is_set_by_settings_that_exist(name: str) -> None:
    (generated,) = (one for one in KUSTOMIZATION["configMapGenerator"] if one["name"] == name)
    given = {line.partition("=")[0] for line in generated["literals"]}
    assert given <= {row.variable for row in describe_settings(ON_THE_CLUSTER[name])}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here to render with")
def test_the_cluster_renders_with_the_images_and_the_settings_named() -> None:
    command = ["kubectl", "kustomize", str(DOCKER / "kubernetes")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kinds = [one["kind"] for one in yaml.safe_load_all(done.stdout)]
    each = ["ConfigMap", "Deployment", "PodDisruptionBudget", "Service"]
    assert sorted(kinds) == sorted(each * len(ON_THE_CLUSTER))
    for image in ("p1-prediction-api", "p2-nn-service", "p3-rag-chatbot"):
        assert f"image: registry.example.org/{image}:0.1.0" in done.stdout
