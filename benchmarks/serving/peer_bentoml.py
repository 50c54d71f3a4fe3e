"""The pipeline as a BentoML service, without batching and with it; needs BentoML's environment.

A batch is taken as a list of rows: with a frame as input, BentoML's dispatcher adds a number to its
shape and no request is ever answered.
"""

import os
from typing import Any

import bentoml  # pyrefly: ignore[missing-import] - in the peer's own environment
import joblib
import pandas as pd


class _Holder:
    def __init__(self) -> None:
        self._pipeline = joblib.load(os.environ["PIPELINE"])

    def said(self, rows: list[dict[str, Any]]) -> list[int]:
        return list(self._pipeline.predict(pd.DataFrame(rows)).tolist())


@bentoml.service(workers=1, traffic={"timeout": 60})
class Plain(_Holder):
    """One call of the pipeline a request."""

    @bentoml.api
    def predict(self, rows: list[dict[str, Any]]) -> list[int]:
        """Answer rows."""
        return self.said(rows)


@bentoml.service(workers=1, traffic={"timeout": 60})
class Batching(_Holder):
    """One call of the pipeline for the requests that came together."""

    @bentoml.api(batchable=True, max_batch_size=256, max_latency_ms=10_000)
    def predict(self, rows: list[dict[str, Any]]) -> list[int]:
        """Answer rows."""
        return self.said(rows)
