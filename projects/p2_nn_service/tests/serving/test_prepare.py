"""What the model would see of an image, asked for beside its answer."""

from io import BytesIO

import numpy as np
import pytest
from p2_nn_service.api import create_app
from p2_nn_service.settings import Settings
from PIL import Image
from starlette.testclient import TestClient

from .conftest import SIDE, Publish, bright


@pytest.fixture
def client(settings: Settings, publish_corners: Publish) -> TestClient:
    publish_corners()
    return TestClient(create_app(settings))


def test_a_picture_is_shown_as_the_model_sees_it_and_what_is_shown_is_answered_alike(
    client: TestClient,
) -> None:
    image = Image.fromarray((255 * bright("top left")).astype(np.uint8)).resize((80, 40))
    file = BytesIO()
    image.save(file, "PNG")
    headers = {"content-type": "image/png"}
    with client:
        (seen,) = client.post("/v1/prepare", content=file.getvalue(), headers=headers).json()[
            "images"
        ]
        asked = client.post("/v1/classify", content=file.getvalue(), headers=headers).json()
        again = client.post("/v1/classify", json={"pixels": seen["pixels"]}).json()
    assert np.shape(seen["pixels"]) == (1, SIDE, SIDE)
    assert "resized from 80 x 40 to 8 x 8" in seen["preparation"]
    said = asked["classifications"][0]["probabilities"]
    assert said == pytest.approx(again["classifications"][0]["probabilities"], abs=1e-4)


def test_numbers_of_the_models_own_shape_are_shown_as_they_are(client: TestClient) -> None:
    pixels = bright("bottom right").tolist()
    with client:
        answer = client.post("/v1/prepare", json={"pixels": [pixels, pixels]}).json()
    assert answer["images"] == [{"pixels": [pixels], "preparation": []}] * 2


def test_what_cannot_be_read_is_refused_as_it_is_by_classify(client: TestClient) -> None:
    headers = {"content-type": "image/png"}
    with client:
        refused = client.post("/v1/prepare", content=b"no picture", headers=headers)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("unreadable-image")
