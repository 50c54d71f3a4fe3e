"""The model that comes with the service: published on the first start, so that it serves at once.

A small network of our own training, with its card, in `builtin/`; `builtin/MODEL_CARD.md` says how
good it is. A registry that has a version under the served alias is left alone.
"""

import sys
from pathlib import Path

from common.models import Registry
from common.models.opening import registry_of
from common.models.registry import RegistryError, RegistryUnavailableError
from common.service.health import code_revision

from p2_nn_service.classifier import CARD_FILE
from p2_nn_service.contracts import ModelCard
from p2_nn_service.settings import Settings

BUILTIN_DIR = Path(__file__).parent / "builtin"


def publish_builtin(settings: Settings) -> None:
    """Publish the built-in model where the registry has none to serve; says so when it cannot."""
    is_default = settings.model == Settings.model_fields["model"].default
    if not settings.publish_builtin or not is_default:
        return
    registry = registry_of(settings)
    try:
        if _has_model(registry, settings):
            return
    except RegistryUnavailableError as error:  # nothing could be published; the service waits
        sys.stderr.write(f"no first model is published: {error}\n")
        return
    card = ModelCard.model_validate_json((BUILTIN_DIR / CARD_FILE).read_text(encoding="utf-8"))
    registry.publish(
        settings.model,
        BUILTIN_DIR,
        metrics={name: one.value for name, one in card.metrics.items()},
        data_fingerprint=card.data_fingerprint,
        code_revision=code_revision(),
        description=card.verdict,
        tags={"preset": card.preset, "dataset": card.dataset, "run": card.run_id},
        alias=settings.alias,
    )


def _has_model(registry: Registry, settings: Settings) -> bool:
    try:
        registry.resolve(settings.model, settings.alias)
    except RegistryUnavailableError:
        raise
    except RegistryError:
        return False
    return True
