"""Weights are found where they are, checked to the byte, and what is missing says what to do."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from common.models.weights import WeightFile, Weights, WeightsError, find_weights

from tests.support.file_server import FileServer, serving_files

MODEL, TOKENS = b"numbers" * 100, b"{}"


def described(name: str, content: bytes) -> WeightFile:
    return WeightFile(name, hashlib.sha256(content).hexdigest(), len(content))


WEIGHTS = Weights(
    name="tiny",
    files=(described("model.safetensors", MODEL), described("tokenizer.json", TOKENS)),
    package="no-such-package-of-weights",
    package_folder="tiny/model",
    repository="someone/tiny",
    revision="0123456789abcdef0123",
    setting="P3_TINY_WEIGHTS",
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving_files() as running:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{running.server_port}/")
        for name, content in (("model.safetensors", MODEL), ("tokenizer.json", TOKENS)):
            running.files[f"/someone/tiny/resolve/{WEIGHTS.revision}/{name}"] = content
        yield running


def put(folder: Path, model: bytes = MODEL) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(model)
    (folder / "tokenizer.json").write_bytes(TOKENS)
    return folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package of weights, which would fail if it were imported."""
    site = tmp_path / "site"
    put(site / "tiny" / "model")
    (site / "tiny" / "__init__.py").write_text("raise RuntimeError('imported')")
    info = site / "tiny_weights-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(site))
    return site / "tiny" / "model"


def test_a_folder_that_is_named_comes_first(package: Path, hub: FileServer, tmp_path: Path) -> None:
    own = put(tmp_path / "own")
    weights = replace(WEIGHTS, package="tiny-weights")
    found = find_weights(weights, tmp_path / "data", given=own)
    assert found == (own / "model.safetensors", own / "tokenizer.json")
    assert hub.asked == []


def test_an_installed_package_is_read_without_being_imported(
    package: Path, hub: FileServer, tmp_path: Path
) -> None:
    weights = replace(WEIGHTS, package="tiny-weights")
    assert find_weights(weights, tmp_path)[0] == package / "model.safetensors"
    assert hub.asked == []


def test_the_hub_is_asked_last_and_once(hub: FileServer, tmp_path: Path) -> None:
    first = find_weights(WEIGHTS, tmp_path)
    hub.files.clear()
    assert find_weights(WEIGHTS, tmp_path) == first
    assert len(hub.asked) == 2
    assert first[0].read_bytes() == MODEL


def test_the_one_file_of_a_model_may_be_named_itself(tmp_path: Path) -> None:
    one = replace(WEIGHTS, files=WEIGHTS.files[:1])
    path = put(tmp_path / "own").joinpath("model.safetensors").rename(tmp_path / "other-name")
    assert find_weights(one, tmp_path, given=path) == (path,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (MODEL[:-1], "it has 699 bytes, published are 700"),
        (MODEL.replace(b"n", b"m", 1), "its sha256 is [0-9a-f]{64}, published is"),
    ],
)
def test_files_that_are_not_the_published_ones_are_refused(
    content: bytes, said: str, tmp_path: Path
) -> None:
    own = put(tmp_path / "own", content)
    with pytest.raises(WeightsError, match=said) as caught:
        find_weights(WEIGHTS, tmp_path, given=own)
    assert "P3_TINY_WEIGHTS" in str(caught.value)
    assert str(own / "model.safetensors") in str(caught.value)


def test_a_damaged_download_is_refused_when_it_is_used(hub: FileServer, tmp_path: Path) -> None:
    path = find_weights(WEIGHTS, tmp_path)[0]
    path.write_bytes(MODEL[:-7])
    with pytest.raises(WeightsError, match="delete a damaged download"):
        find_weights(WEIGHTS, tmp_path)


def test_a_folder_without_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file or directory"):
        find_weights(WEIGHTS, tmp_path, given=tmp_path / "nowhere")


def test_offline_the_message_says_every_way_out(
    hub: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError) as caught:
        find_weights(WEIGHTS, tmp_path)
    said = str(caught.value)
    assert "not on this machine" in said
    assert "no-such-package-of-weights" in said
    assert f"model.safetensors and tokenizer.json into {tmp_path / 'weights' / 'tiny'}" in said
    assert "P3_TINY_WEIGHTS" in said


def test_a_hub_that_is_switched_off_is_not_asked(
    hub: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE forbids"):
        find_weights(WEIGHTS, tmp_path)
    assert hub.asked == []
