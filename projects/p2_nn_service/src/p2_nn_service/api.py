"""The neural-network service over HTTP. Thin: parse, ask the live classifier, answer."""

from importlib.metadata import version
from pathlib import Path

from common.service import create_service
from fastapi import FastAPI

from p2_nn_service.backprop_routes import backprop_router
from p2_nn_service.settings import Settings

PAGE_DIR = Path(__file__).parent / "web"


def create_app(settings: Settings) -> FastAPI:
    """Build the service's application."""
    service = create_service(
        "p2-nn-service",
        settings,
        title="P2 NN service",
        summary="Neural networks trained, debugged, tracked, compared and served.",
        version=version("ai-roadmap-p2-nn-service"),
    )
    service.app.include_router(backprop_router())
    service.pages(PAGE_DIR)
    return service.app
