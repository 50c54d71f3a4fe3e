"""Writing: one character after another, drawn from what the network says comes next."""

from collections.abc import Iterator

import torch
from torch import Tensor

from p2_nn_service.errors import RecipeError
from p2_nn_service.language.networks import LanguageNetwork
from p2_nn_service.language.texts import to_symbols


def continue_text(
    network: LanguageNetwork,
    characters: str,
    prompt: str,
    *,
    n_characters: int = 300,
    temperature: float = 0.8,
    top_p: float = 0.95,
    seed: int = 0,
) -> Iterator[str]:
    """Return what follows the prompt, drawn as it is asked for; the seed alone decides.

    The network sees the last `context` characters, as many as it was trained on. Raises
    `RecipeError` for a temperature below 0 or a `top_p` out of (0, 1], and `DatasetError` for a
    prompt with a character that the network does not know.
    """
    _check(temperature, top_p)
    device = next(network.parameters()).device
    seen = torch.from_numpy(to_symbols(prompt or characters[0], characters)).to(device)
    chance = torch.Generator().manual_seed(seed)

    def drawn(seen: Tensor) -> Iterator[str]:
        for _ in range(n_characters):
            with torch.no_grad():
                logits = network(seen[None, -network.context :])[0, -1].float().cpu()
            chances = next_chances(logits, temperature=temperature, top_p=top_p)
            chosen = torch.multinomial(chances, 1, generator=chance)
            seen = torch.cat([seen[-network.context :], chosen.to(device)])
            yield characters[int(chosen)]

    return drawn(seen)


def next_chances(logits: Tensor, *, temperature: float, top_p: float) -> Tensor:
    """Return the probabilities that a symbol is drawn with: logits (k,) to (k,), summing to 1.

    Logits are divided by the temperature: below 1 the likely becomes likelier, at 0 the likeliest
    is certain. Then the fewest symbols are kept that together have `top_p` of the probability, the
    nucleus of Holtzman et al. (2020); the others' becomes 0.
    """
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).float()
    chances = torch.softmax(logits / temperature, 0)
    ordered, places = chances.sort(descending=True, stable=True)
    before = ordered.cumsum(0) - ordered  # probability of those that are likelier
    kept = torch.zeros_like(chances).scatter(0, places, ordered * (before < top_p))
    return kept / kept.sum()


def _check(temperature: float, top_p: float) -> None:
    if not 0 <= temperature < float("inf"):
        raise RecipeError(f"temperature is {temperature:g}; accepted: 0 or more")
    if not 0 < top_p <= 1:
        raise RecipeError(f"top_p is {top_p:g}; accepted: above 0, at most 1")
