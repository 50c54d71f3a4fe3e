"""What the compose file asks for is there: projects, extras, settings, files, scrape targets."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from common.settings import Settings, describe_settings

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
