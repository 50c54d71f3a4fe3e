"""FastAPI without a model: it reads the body's bytes and sends as many back as an answer has."""

from fastapi import FastAPI, Request
from starlette.responses import Response

app = FastAPI()
ANSWER = b'{"label":"Ankle boot","probabilities":{' + b" " * 360 + b"}}"


@app.post("/echo")
async def echo(request: Request) -> Response:
    """Read, and answer."""
    await request.body()
    return Response(ANSWER, media_type="application/json")
