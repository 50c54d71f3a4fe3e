"""What compose and the cluster are told is there: projects, extras, settings, files, probes."""

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from common.settings import Settings, describe_settings
from p1_prediction_api.settings import Settings as P1Settings

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {
    name: one for name, one in SERVICES.items() if "PROJECT" in one.get("build", {}).get("args", {})
}


@pytest.mark.parametrize("name", OURS)
def test_an_image_is_built_from_a_project_and_its_extras(name: str) -> None:
    arguments = OURS[name]["build"]["args"]
    file = ROOT / "projects" / arguments["PROJECT"] / "pyproject.toml"
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    offered = project.get("optional-dependencies", {})
    assert set(arguments.get("EXTRAS", "").split()) <= set(offered)


@pytest.mark.parametrize("name", OURS)
def test_an_image_is_set_by_settings_that_exist_and_has_the_driver_it_needs(name: str) -> None:
    known = {row.variable for row in describe_settings(Settings())}
    given = OURS[name].get("environment", {})
    assert {key for key in given if key.startswith("ROADMAP_")} <= known
    needs_driver = "ROADMAP_DATABASE_URL" in given
    assert not needs_driver or "postgres" in OURS[name]["build"]["args"]["EXTRAS"].split()


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


def cluster(kind: str) -> dict[str, Any]:
    text = (DOCKER / "kubernetes/p1.yaml").read_text(encoding="utf-8")
    (found,) = (one for one in yaml.safe_load_all(text) if one["kind"] == kind)
    return found


def test_on_a_cluster_a_replica_is_asked_what_the_service_answers() -> None:
    pod = cluster("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > pause + Settings().shutdown_grace_s
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {one["mountPath"] for one in container["volumeMounts"]} == {"/data", "/tmp"}


def test_the_cluster_is_set_by_settings_that_exist() -> None:
    file = DOCKER / "kubernetes/kustomization.yaml"
    (generated,) = yaml.safe_load(file.read_text(encoding="utf-8"))["configMapGenerator"]
    given = {line.partition("=")[0] for line in generated["literals"]}
    assert given <= {row.variable for row in describe_settings(P1Settings())}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl here to render with")
def test_the_cluster_renders_with_the_image_and_the_settings_named() -> None:
    command = ["kubectl", "kustomize", str(DOCKER / "kubernetes")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kinds = [one["kind"] for one in yaml.safe_load_all(done.stdout)]
    assert sorted(kinds) == ["ConfigMap", "Deployment", "PodDisruptionBudget", "Service"]
    assert "image: registry.example.org/p1-prediction-api:0.1.0" in done.stdout
