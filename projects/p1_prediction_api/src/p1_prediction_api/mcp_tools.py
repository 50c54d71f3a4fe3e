"""The service's abilities as MCP tools: describe the model, predict, train on a table."""

import asyncio
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, JsonValue

from p1_prediction_api.contracts import Estimate, Explanations, Feature, Predictions
from p1_prediction_api.explanations import explain
from p1_prediction_api.live import LiveModel
from p1_prediction_api.settings import Settings


class ModelSummary(BaseModel):
    """What a caller needs to know before it predicts."""

    name: str
    version: int
    task: str
    target: str
    classes: list[str]
    features: list[Feature]
    verdict: str
    metrics: dict[str, Estimate]


class TrainedModel(BaseModel):
    """What training found."""

    name: str
    version: int
    verdict: str
    warnings: list[str]


def prediction_tools(live: LiveModel, settings: Settings) -> tuple[Callable[..., object], ...]:
    """Make the tools; `train_table` only where it is installed and allowed."""

    def describe_model() -> ModelSummary:
        """Describe the model that answers now: inputs, ranges, examples, how good it is."""
        loaded = live.current
        return ModelSummary(
            name=loaded.version.model,
            version=loaded.version.version,
            task=loaded.signature.task,
            target=loaded.signature.target,
            classes=list(loaded.signature.classes),
            features=list(loaded.signature.features),
            verdict=loaded.card.verdict,
            metrics=loaded.card.metrics,
        )

    async def predict(rows: list[dict[str, JsonValue]]) -> Predictions:
        """Predict for rows given as objects of feature name to value; see describe_model."""
        return await live.predict(rows)

    async def explain_rows(rows: list[dict[str, JsonValue]]) -> Explanations:
        """Predict rows and say what each value adds to the score; attributions sum to it."""
        return await explain(live, rows, None, max_rows=settings.max_explained_rows)

    explain_rows.__name__ = "explain"

    async def train_table(csv_text: str, target: str, model: str) -> TrainedModel:
        """Train on a table given as CSV text and publish it as a candidate; takes minutes."""
        return await asyncio.to_thread(_train, csv_text, target, model, settings)

    if settings.allow_train_tool and find_spec("sklearn") is not None:
        return (describe_model, predict, explain_rows, train_table)
    return (describe_model, predict, explain_rows)


def _train(csv_text: str, target: str, model: str, settings: Settings) -> TrainedModel:
    from p1_prediction_api.training import train  # noqa: PLC0415 - scikit-learn, only when asked

    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write(csv_text)
        file.flush()
        run = train(Path(file.name), target=target, minutes=5, seed=settings.seed)
    version = run.publish(model=model, alias="candidate", settings=settings)
    return TrainedModel(
        name=version.model,
        version=version.version,
        verdict=run.verdict,
        warnings=list(run.card.warnings),
    )
