"""A card as a page for people, published beside `card.json`. Source: Mitchell et al. (2019)."""

from collections.abc import Sequence

from p2_nn_service.contracts import Estimate, Measured, ModelCard


def to_markdown(card: ModelCard) -> str:
    """Render the card."""
    made = f"Run `{card.run_id}`, preset `{card.preset}`, on {card.dataset}"
    epochs, seed = (card.recipe.get(name, "-") for name in ("epochs", "seed"))
    again = (
        f"p2-nn-service train --dataset {card.dataset} --model {card.preset} --epochs {epochs} "
        f"--seed {seed}"
    )
    data = f"licence {card.licence or 'unknown'}, fingerprint `{card.data_fingerprint}`"
    strangers = [(name, f"{auroc:.3f}") for name, auroc in card.strangeness.auroc.items()]
    parts = [
        f"# {card.title}",
        card.verdict,
        "## What it was made for",
        "\n".join(f"- {one}" for one in card.limits),
        f"Classes: {', '.join(card.classes)}.",
        "## How good it is",
        "On held-out images, with 95 % intervals.",
        _table(("figure", "value"), [(name, _told(one)) for name, one in card.metrics.items()]),
        f"Logits are divided by {card.temperature:g}, so that probabilities are true.",
        "## What it costs",
        _table(
            ("graph", "right", "bytes", "one image, one thread", "note"),
            [_variant(one) for one in card.variants],
        ),
        "## How well strangers are told from held-out images",
        "The area under the ROC curve of `strangeness`; 0.5 is chance.",
        _table(("stranger", "AUROC"), strangers),
        "## How it was made",
        f"{made} ({data}). To make it again:",
        f"```sh\n{again} && p2-nn-service publish --to FOLDER\n```",
        "The recipe; what differs from the preset's own is an option of `train`:",
        _table(("setting", "value"), [(k, v or "-") for k, v in card.recipe.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def _told(one: Estimate) -> str:
    return f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})"


def _variant(one: Measured) -> tuple[str, ...]:
    right, latency = f"{one.accuracy.value:.2%}", f"{one.latency_ms:.3f} ms"
    return one.variant, right, f"{one.n_bytes:,}", latency, one.note


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
