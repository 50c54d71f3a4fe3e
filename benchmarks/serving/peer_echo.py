"""FastAPI without a model: it parses the body and sends it back."""

from fastapi import Body, FastAPI

app = FastAPI()


@app.post("/predict")
async def echo(body: dict[str, object] = Body()) -> dict[str, object]:  # noqa: B008 - FastAPI's way
    """Send the body back."""
    return body
