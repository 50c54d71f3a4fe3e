"""The prediction API over HTTP. Thin: parse, ask the live model, answer.

`POST /v1/predict` is documented from the model that answers now and follows a swap; `/v2` is the
Open Inference Protocol. Read next: `live.py`.
"""

from importlib.metadata import version
from pathlib import Path

from common.errors import FieldError, ProblemType
from common.models.following import NoModelError
from common.models.releases import Releases
from common.service import create_service
from common.service.release_routes import RELEASE_PROBLEMS, release_router
from common.serving import openinference_router
from common.serving.openinference import INFERENCE_PROBLEMS
from common.store import StoreError
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from p1_prediction_api.bodies import parse_body
from p1_prediction_api.contracts import Explanations, ModelDescription, Predictions
from p1_prediction_api.database import Database
from p1_prediction_api.diagnosis.contracts import Diagnosis
from p1_prediction_api.errors import (
    ModelContentError,
    NoReportError,
    RowError,
    TooManyRowsError,
    TrainingError,
)
from p1_prediction_api.explanations import explain
from p1_prediction_api.feedback import Feedback
from p1_prediction_api.live import LiveModel
from p1_prediction_api.mcp_tools import prediction_tools
from p1_prediction_api.monitoring.monitor import Monitor
from p1_prediction_api.monitoring_routes import monitoring_router
from p1_prediction_api.openapi import follow_the_model
from p1_prediction_api.operator_routes import OPERATOR_PROBLEMS, operator_router
from p1_prediction_api.prediction_log import PredictionLog
from p1_prediction_api.scoreboard import Scoreboard
from p1_prediction_api.settings import Settings
from p1_prediction_api.shadow import Shadow

REPORT_FILE = "report.html"
DIAGNOSIS_FILE = "diagnosis.json"
PAGE_DIR = Path(__file__).parent / "web"
PROBLEMS: dict[type[Exception], ProblemType] = {
    **INFERENCE_PROBLEMS,
    **OPERATOR_PROBLEMS,
    **RELEASE_PROBLEMS,
    StoreError: ProblemType(
        "database-unavailable",
        "The database cannot be read or written now",
        503,
        "Nothing was stored. Try again; predictions are answered all the same.",
    ),
    RowError: ProblemType(
        "invalid-rows", "Some rows do not fit the model", 422, "GET /v1/model shows a row."
    ),
    TooManyRowsError: ProblemType("too-many-rows", "Too many rows in one request", 413),
    NoReportError: ProblemType("no-report", "This version has no report", 404),
    NoModelError: ProblemType("no-model", "No model is loaded yet", 503, "Train and publish one."),
    ModelContentError: ProblemType("invalid-tensors", "The tensors do not fit together", 400),
    TrainingError: ProblemType("not-trainable", "The table cannot teach a model", 422),
}


def create_app(settings: Settings) -> FastAPI:
    """Build the service's application."""
    service = create_service(
        "p1-prediction-api",
        settings,
        title="P1 Prediction API",
        summary="Predictions from a model trained on a table, watched and swapped while it serves.",
        version=version("ai-roadmap-p1-prediction-api"),
    )
    database = service.owns(Database(settings))
    predictions = service.owns(PredictionLog(settings, service.telemetry, database))
    live = service.owns(LiveModel(settings, service.telemetry, predictions=predictions))
    scores = service.owns(Scoreboard(service.telemetry, live, database))
    shadow = service.owns(Shadow(settings, service.telemetry, live, database))
    monitor = service.owns(
        Monitor(
            settings,
            service.telemetry,
            database,
            live,
            predictions,
            truth=scores.now,
            shadow=shadow.compared,
        )
    )
    feedback = Feedback(live, predictions, database)
    feedback.on_stored.append(scores.refresh)
    releases = Releases(settings, live, allow_promotion=settings.allow_promotion)
    service.problems(PROBLEMS)
    service.mount(prediction_router(live, max_explained_rows=settings.max_explained_rows))
    service.mount(monitoring_router(monitor, settings))
    service.mount(operator_router(feedback=feedback, scores=scores, shadow=shadow))
    service.mount(release_router(settings, releases))
    service.hot_route("/v1/predict", live.predict_json)
    service.mount(
        openinference_router(
            lambda: [live] if live.is_ready() else [],
            server_name=service.name,
            server_version=service.app.version,
            max_body_bytes=settings.max_body_bytes,
            problems=PROBLEMS,
        )
    )
    service.tools(*prediction_tools(live, settings))
    service.pages(PAGE_DIR)
    follow_the_model(service.app, live)
    return service.app


def prediction_router(live: LiveModel, *, max_explained_rows: int) -> APIRouter:
    """Make the friendly routes."""
    router = APIRouter(prefix="/v1", tags=["predictions"])

    @router.post("/predict", response_model=Predictions)
    async def predict(request: Request) -> Response:
        """Predict one row or many; answers stand in the order of the rows."""
        answer = await live.predict_json(await request.body())
        return Response(answer, media_type="application/json")

    @router.post("/explain", response_model=Explanations)
    async def explain_rows(request: Request) -> Response:
        """Predict, and say what each value adds: attributions sum to the score, exactly."""
        body = parse_body(await request.body(), {"rows", "of"})
        of = body.get("of")
        if of is not None and not isinstance(of, str):
            raise RowError([FieldError(field="of", message="is not a text", accepted="a class")])
        found = await explain(live, body.get("rows"), of, max_rows=max_explained_rows)
        return Response(found.model_dump_json(), media_type="application/json")

    @router.get("/report", response_class=HTMLResponse)
    async def report() -> Response:
        """Show the diagnosis of the model that answers now: why it fails, and what to do."""
        return _published(live, REPORT_FILE, "text/html")

    @router.get("/diagnosis", response_model=Diagnosis)
    async def diagnosis() -> Response:
        """Give the same diagnosis as data: its findings, and the curves and figures behind them."""
        return _published(live, DIAGNOSIS_FILE, "application/json")

    @router.get("/model")
    async def model() -> ModelDescription:
        """Describe the model that answers now: what goes in, how good it is, how it came about."""
        loaded = live.current
        return ModelDescription(
            model=live.served,
            has_report=(loaded.folder / REPORT_FILE).is_file(),
            trouble=live.ready_but() or "",
            created_at=loaded.version.created_at,
            signature=loaded.signature,
            card=loaded.card,
            data_fingerprint=loaded.version.data_fingerprint,
            code_revision=loaded.version.code_revision,
            row_schema=loaded.reader.row_model.model_json_schema(by_alias=True),
        )

    return router


def _published(live: LiveModel, name: str, media_type: str) -> Response:
    """Answer with a part of the diagnosis, as it was published with the model."""
    path = live.current.folder / name
    if not path.is_file():
        raise NoReportError(
            "this version was published without a diagnosis; `p1-prediction-api train` publishes "
            "the next one with it"
        )
    return FileResponse(path, media_type=media_type, headers={"Cache-Control": "no-cache"})
