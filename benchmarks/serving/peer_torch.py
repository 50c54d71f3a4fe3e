"""FastAPI with a network of torch, as a first tutorial serves it: eager, an image at a time."""

import os
from io import BytesIO
from typing import Annotated

import numpy as np
import torch
from fastapi import FastAPI, File, UploadFile
from p2_nn_service.models.building import build
from p2_nn_service.models.inputs import Task
from PIL import Image
from pydantic import BaseModel

app = FastAPI()
torch.set_num_threads(1)
saved = torch.load(os.environ["NETWORK"], weights_only=True)
network = build(saved["preset"], Task(tuple(saved["shape"]), len(saved["classes"])))
network.load_state_dict(saved["weights"])
network.eval()


class Asked(BaseModel):
    """What is asked."""

    pixels: list[list[float]]


def classified(pixels: torch.Tensor) -> dict[str, object]:
    """Answer one image (height, width), 0 to 1."""
    with torch.inference_mode():
        logits = network(((pixels - saved["mean"]) / saved["std"])[None, None])
        p = logits.softmax(1)[0].tolist()
    likeliest = max(range(len(p)), key=p.__getitem__)
    names: list[str] = saved["classes"]
    return {"label": names[likeliest], "probabilities": dict(zip(names, p, strict=True))}


@app.post("/array")
async def array(asked: Asked) -> dict[str, object]:
    """Classify an array."""
    return classified(torch.tensor(asked.pixels))


@app.post("/upload")
async def upload(image: Annotated[UploadFile, File()]) -> dict[str, object]:
    """Classify an uploaded file."""
    picture = Image.open(BytesIO(await image.read())).convert("L")
    return classified(torch.from_numpy(np.asarray(picture, np.float32) / 255))
