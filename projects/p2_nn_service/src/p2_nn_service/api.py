"""The neural-network service over HTTP. Thin: parse, ask the live classifier, answer.

`/v2` is the Open Inference Protocol. Read next: `classify_routes.py`, `live.py`.
"""

from importlib.metadata import version
from pathlib import Path

from common.errors import ProblemType
from common.models.releases import Releases
from common.service import create_service
from common.service.release_routes import RELEASE_PROBLEMS, release_router
from common.serving import openinference_router
from fastapi import FastAPI

from p2_nn_service.asking import JSON
from p2_nn_service.backprop_routes import backprop_router
from p2_nn_service.classify_routes import (
    CLASSIFY_PATH,
    CLASSIFY_PROBLEMS,
    IMAGE_TYPES,
    classify_router,
)
from p2_nn_service.live import LiveClassifier
from p2_nn_service.mcp_tools import network_tools
from p2_nn_service.run_routes import RUN_PROBLEMS, run_router
from p2_nn_service.settings import Settings

PAGE_DIR = Path(__file__).parent / "web"
PROBLEMS: dict[type[Exception], ProblemType] = {
    **CLASSIFY_PROBLEMS,
    **RELEASE_PROBLEMS,
    **RUN_PROBLEMS,
}


def create_app(settings: Settings) -> FastAPI:
    """Build the service's application."""
    service = create_service(
        "p2-nn-service",
        settings,
        title="P2 NN service",
        summary="Neural networks trained, debugged, tracked, compared and served.",
        version=version("ai-roadmap-p2-nn-service"),
    )
    live = service.owns(LiveClassifier(settings, service.telemetry))
    service.problems(PROBLEMS)
    service.mount(classify_router(live))
    service.hot_route(CLASSIFY_PATH, live.classify_json, content_type=JSON)
    for image_type in IMAGE_TYPES:
        service.hot_route(CLASSIFY_PATH, live.classify_picture, content_type=image_type)
    releases = Releases(settings, live, allow_promotion=settings.allow_promotion)
    service.mount(release_router(settings, releases))
    service.mount(run_router(settings))
    service.mount(backprop_router())
    service.mount(
        openinference_router(
            lambda: [live] if live.is_ready() else [],
            server_name=service.name,
            server_version=service.app.version,
            max_body_bytes=settings.max_body_bytes,
            problems=PROBLEMS,
        )
    )
    service.tools(*network_tools(live, settings))
    service.pages(PAGE_DIR)
    return service.app
