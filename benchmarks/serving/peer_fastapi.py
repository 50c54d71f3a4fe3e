"""FastAPI with the pipeline, as a first tutorial serves it."""

import os

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
pipeline = joblib.load(os.environ["PIPELINE"])


class Rows(BaseModel):
    """What is asked."""

    rows: list[dict[str, float | str]]


@app.post("/predict")
def predict(asked: Rows) -> dict[str, list[int]]:
    """Predict in a worker thread."""
    return {"predictions": pipeline.predict(pd.DataFrame(asked.rows)).tolist()}
