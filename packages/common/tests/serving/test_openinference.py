"""The protocol with Triton's own client over a real socket, and by hand where it must refuse."""

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from common.service import create_service
from common.serving import ModelMetadata, OnnxModel, openinference_router
from common.serving.inference import NUMPY_TYPES, InputError
from common.serving.tensors import from_bytes, from_json, to_bytes, to_json
from common.serving.wire import InferenceRequestError, parse_request
from common.settings import Settings
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from starlette.testclient import TestClient
from tritonclient.utils import InferenceServerException

from tests.support.browser import Site, served


class Doubling:
    """An `InferenceModel` over the test's ONNX file."""

    name = "doubling"
    version = "3"

    def __init__(self, path: Path) -> None:
        self.onnx = OnnxModel.load(path)

    def is_ready(self) -> bool:
        return True

    def metadata(self) -> ModelMetadata:
        return ModelMetadata("onnx_onnxv1", self.onnx.inputs, self.onnx.outputs)

    async def infer(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return self.onnx.run(inputs)


def make_app(model_path: Path):
    service = create_service("v2", Settings(), title="V2", summary="", version="1")
    model = Doubling(model_path)
    router = openinference_router(
        lambda: [model], server_name="v2", server_version="1", max_body_bytes=1_000_000
    )
    service.mount(router)
    return service.app


@pytest.fixture(scope="module")
def site(model_path: Path) -> Iterator[Site]:
    with served(make_app(model_path)) as site:
        yield site


@pytest.fixture
def client(site: Site) -> Iterator[triton.InferenceServerClient]:
    client = triton.InferenceServerClient(site.url.removeprefix("http://"))
    yield client
    client.close()


def ask(x: np.ndarray, words: list[str], *, is_binary: bool) -> list[triton.InferInput]:
    number = triton.InferInput("x", list(x.shape), "FP32")
    number.set_data_from_numpy(x, binary_data=is_binary)
    word = triton.InferInput("word", [len(words), 1], "BYTES")
    word.set_data_from_numpy(np.array([[w] for w in words], dtype=object), binary_data=is_binary)
    return [number, word]


def test_tritons_client_finds_server_and_model(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("doubling", "3")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata("doubling")
    assert metadata["inputs"][0] == {"name": "x", "datatype": "FP32", "shape": [-1, 2]}


@pytest.mark.parametrize("is_binary", [True, False])
@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
def test_tritons_client_gets_its_answers(
    client: triton.InferenceServerClient, is_binary: bool, compression: str | None
) -> None:
    x = np.array([[1.5, -2], [3, 4]], dtype=np.float32)
    outputs = [
        triton.InferRequestedOutput("doubled", binary_data=is_binary),
        triton.InferRequestedOutput("named", binary_data=not is_binary),
    ]
    answer = client.infer(
        "doubling",
        ask(x, ["ä", ""], is_binary=is_binary),
        outputs=outputs,
        request_id="r-1",
        request_compression_algorithm=compression,
    )
    assert np.array_equal(answer.as_numpy("doubled"), x * 2)
    named = [
        str(w.decode() if isinstance(w, bytes) else w) for w in answer.as_numpy("named").reshape(-1)
    ]
    assert named == ["ä", ""]
    assert answer.get_response()["id"] == "r-1"
    assert answer.get_response()["model_version"] == "3"


def test_nan_travels_as_binary_and_is_null_in_json(client: triton.InferenceServerClient) -> None:
    x = np.array([[np.nan, np.inf]], dtype=np.float32)
    inputs = ask(x, ["w"], is_binary=True)
    assert np.array_equal(client.infer("doubling", inputs).as_numpy("doubled"), x, equal_nan=True)
    plain = [triton.InferRequestedOutput("doubled", binary_data=False)]
    response = client.infer("doubling", inputs, outputs=plain).get_response()
    assert response["outputs"][0]["data"] == [None, None]


def test_the_client_is_told_what_was_wrong(client: triton.InferenceServerClient) -> None:
    wrong = ask(np.ones((1, 3), dtype=np.float32), ["w"], is_binary=True)
    with pytest.raises(InferenceServerException, match=r"tensor 'x': its shape is \[1, 3\]"):
        client.infer("doubling", wrong)
    with pytest.raises(InferenceServerException, match="not served here; served: doubling"):
        client.get_model_metadata("tripling")
    with pytest.raises(InferenceServerException, match="version 9 is not served"):
        client.infer("doubling", ask(np.ones((1, 2), np.float32), ["w"], is_binary=True), "9")


GOOD = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "inputs is missing"),
        ({"inputs": [{**GOOD, "data": [1]}]}, "holds 1 elements"),
        ({"inputs": [{**GOOD, "data": ["1", "2"]}]}, "holds '1'"),
        ({"inputs": [{**GOOD, "datatype": "INT32", "data": [1.5, 2]}]}, "holds '1.5'"),
        ({"inputs": [{**GOOD, "datatype": "UINT8", "data": [1, 300]}]}, "not UINT8"),
        ({"inputs": [{**GOOD, "datatype": "BOOL", "data": [1, 0]}]}, "holds '1'"),
        ({"inputs": [{**GOOD, "datatype": "FP32", "data": [True, 2]}]}, "holds 'True'"),
        ({"inputs": [{**GOOD, "shape": [-1, 2]}]}, "list of sizes"),
        ({"inputs": [{**GOOD, "shape": [10**12, 10**12]}]}, "list of sizes"),
        ({"inputs": [{**GOOD, "shape": [0] + 4 * [2**30], "data": []}]}, "too large"),
        ({"inputs": [{**GOOD, "shape": [2, 1], "data": [[1, 2]]}]}, "not nested as its shape"),
        ({"inputs": [{**GOOD, "data": [[1], 2]}]}, "not nested as its shape"),
        ({"inputs": [{**GOOD, "data": [1e300, 2]}]}, "a number is too large"),
        ({"inputs": [{**GOOD, "datatype": "FP99"}]}, "not known"),
        ({"inputs": [GOOD, GOOD]}, "given twice"),
        ({"inputs": [{**GOOD, "data": [[1, [2]]]}]}, "holds '[2]'"),
        ({"inputs": [{"shape": [1]}]}, "no name"),
        ({"inputs": "x"}, "not a list"),
    ],
)
def test_a_bad_request_names_what_is_wrong(model_path: Path, body: object, words: str) -> None:
    with TestClient(make_app(model_path)) as http:
        answer = http.post("/v2/models/doubling/infer", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize("constant", ["NaN", "-Infinity"])
def test_what_json_cannot_say_is_refused_with_the_way_out(model_path: Path, constant: str) -> None:
    body = json.dumps({"inputs": [GOOD]}).replace("[1, 2]}", f"[1, {constant}]}}")
    with TestClient(make_app(model_path)) as http:
        route = "/v2/models/doubling/infer"
        binary = {"content-type": "application/octet-stream"}
        as_binary = http.post(route, content=body, headers=binary)
        assert http.post(route, content=body).status_code == 422  # the kit looks at all JSON
    assert as_binary.status_code == 400
    assert "binary tensors only" in as_binary.json()["error"]


@pytest.mark.parametrize("length", ["-1", "1" * 5000, "²", "400"])
def test_a_header_length_that_cannot_be_is_refused(model_path: Path, length: str) -> None:
    headers = {"inference-header-content-length": length.encode()}
    with TestClient(make_app(model_path)) as http:
        answer = http.post("/v2/models/doubling/infer", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert "Inference-Header-Content-Length" in answer.json()["error"]


def test_a_bomb_of_a_body_is_refused_before_it_is_inflated(model_path: Path) -> None:
    import gzip

    bomb = gzip.compress(b" " * 50_000_000)
    with TestClient(make_app(model_path)) as http:
        answer = http.post(
            "/v2/models/doubling/infer", content=bomb, headers={"content-encoding": "gzip"}
        )
    assert answer.status_code == 400
    assert "inflates to more than 1000000 bytes" in answer.json()["error"]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.one_of(st.none(), st.integers(-5, 400).map(str)))
def test_no_bytes_at_all_make_the_parser_fail_otherwise_than_by_name(raw: bytes, length) -> None:
    head = {
        "name": "x",
        "shape": [2],
        "datatype": "BYTES",
        "parameters": {"binary_data_size": len(raw)},
    }
    header = json.dumps({"inputs": [head]}).encode()
    for body, size in ((raw, length), (header + raw, str(len(header)))):
        with suppress(InferenceRequestError, InputError):
            parse_request(body, size)


NUMERIC = sorted(set(NUMPY_TYPES) - {"BYTES"})


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_tensor_survives_both_wire_forms(data: Any) -> None:
    datatype = data.draw(st.sampled_from(NUMERIC))
    array = data.draw(npst.arrays(NUMPY_TYPES[datatype], npst.array_shapes(max_side=4)))
    again = from_bytes("x", datatype, array.shape, to_bytes(array))
    assert np.array_equal(array, again, equal_nan=datatype.startswith("FP"))
    if np.isfinite(array.astype(np.float64)).all():
        told = json.loads(json.dumps(to_json(array)))
        assert np.array_equal(from_json("x", datatype, array.shape, told), array)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=6))
def test_strings_survive_both_wire_forms(words: list[str]) -> None:
    array = np.array(words, dtype=object)
    encodable = [w for w in words if w.isprintable()]
    if len(encodable) == len(words):
        assert from_bytes("w", "BYTES", (len(words),), to_bytes(array)).tolist() == words
        assert from_json("w", "BYTES", (len(words),), to_json(array)).tolist() == words


def test_a_truth_value_is_one_of_two_bytes() -> None:
    assert from_bytes("b", "BOOL", (2,), b"\1\0").tolist() == [True, False]
    with pytest.raises(InputError, match="neither 0 nor 1"):
        from_bytes("b", "BOOL", (2,), b"\1\2")


def test_a_string_longer_than_the_data_is_refused() -> None:
    with pytest.raises(InputError, match="longer than the data"):
        from_bytes("w", "BYTES", (1,), struct.pack("<I", 4_000_000_000) + b"x")
