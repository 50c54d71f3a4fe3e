from pathlib import Path

import numpy as np
import pytest
import torch
from p2_nn_service.cli import app
from p2_nn_service.errors import DatasetError, NetworkError
from p2_nn_service.language.networks import build_language
from p2_nn_service.language.texts import Text
from p2_nn_service.language.why.experiment import run_experiment
from p2_nn_service.language.why.findings import Findings, Pace, Plan, Point, Quality, Recall, Wish
from p2_nn_service.language.why.gradients import first_step_norm
from p2_nn_service.language.why.recall import BLANK, CUE, measure_recall, sequences
from p2_nn_service.language.why.verdict import bits_at, over_seeds, words
from typer.testing import CliRunner

PLAN = Plan(
    seeds=(0, 1, 2), n_parameters=3000, context=8, batch_size=4,
    quality_steps={"lstm": 20, "transformer": 20}, n_scored=200, recall_delays=(2,),
    recall_steps=150, recall_parameters=8000, gradient_lengths=(2, 4), pace_lengths=(4, 8),
    pace_characters=32,
)  # fmt: skip
WISH = Wish(text="t", fingerprint="f", minutes=1, seed=0, is_quick=True)


def words_text(n: int = 24_000) -> Text:
    """A text of ten words in random order: a little to learn, never certain."""
    chance = np.random.default_rng(0)
    vocabulary = ["the", "king", "said", "to", "his", "queen", "that", "all", "was", "well"]
    return Text.of("words", " ".join(chance.choice(vocabulary, n // 4))[:n])


def found_with(**parts: object) -> Findings:
    return Findings(wish=WISH, plan=PLAN, machine="this", **parts)


def ends_at(kind: str, bits: list[float]) -> list[Quality]:
    return [
        Quality(kind=kind, seed=k, n_parameters=9, curve=(
            Point(step=10, train_s=1, bits=4), Point(step=20, train_s=2, bits=value)))
        for k, value in enumerate(bits)
    ]  # fmt: skip


def test_the_one_that_is_ahead_is_named_only_when_the_seeds_can_show_it() -> None:
    apart = ends_at("lstm", [2.0, 2.1, 2.05]) + ends_at("transformer", [2.3, 2.41, 2.34])
    said = words(found_with(quality=apart))
    assert "the LSTM is ahead by 0.300" in said[0]
    near = ends_at("lstm", [2.0, 2.4, 2.2]) + ends_at("transformer", [2.3, 2.1, 2.25])
    assert "no difference that these seeds can show" in words(found_with(quality=near))[0]


def test_a_pair_is_judged_by_its_differences() -> None:
    """Seeds far apart, each pair alike: what the seeds share is no noise of the comparison."""
    lstm, transformer = [2.0, 3.0, 4.0], [1.9, 2.91, 3.9]
    said = words(found_with(quality=ends_at("lstm", lstm) + ends_at("transformer", transformer)))
    assert "the Transformer is ahead by 0.097" in said[0]


def test_a_curve_is_read_between_its_points() -> None:
    curve = (Point(step=10, train_s=1, bits=4), Point(step=30, train_s=2, bits=2))
    assert bits_at(curve, 20, by="step") == pytest.approx(3)
    assert bits_at(curve, 1.25, by="train_s") == pytest.approx(3.5)


def test_a_longer_run_is_read_where_the_shorter_one_ends() -> None:
    long = [Quality(kind="lstm", seed=k, n_parameters=9, curve=(
        Point(step=10, train_s=1, bits=4), Point(step=20, train_s=2, bits=3 + k / 100),
        Point(step=40, train_s=9, bits=1))) for k in range(3)]  # fmt: skip
    said = words(found_with(quality=long + ends_at("transformer", [2.5, 2.51, 2.52])))
    assert "Given the same time, 2 s of training: LSTM 3.010" in said[0]
    assert "After the same 20 steps: LSTM 3.010" in said[1]
    assert "the Transformer is ahead by 0.500" in said[1]


def test_an_interval_over_seeds_is_students() -> None:
    found = over_seeds([1.0, 2.0, 3.0])
    assert found.high - found.value == pytest.approx(4.303 / 3**0.5, rel=1e-3)
    assert over_seeds([1.0]).high == np.inf


def test_pace_and_recall_are_told_in_figures() -> None:
    seconds = {("lstm", 4): 1.0, ("lstm", 8): 3.0, ("transformer", 4): 2.0, ("transformer", 8): 2.0}
    paces = [Pace(kind=kind, length=n, step_s=s) for (kind, n), s in seconds.items()]
    recalled = [Recall(kind="transformer", seed=0, delay=d, n_parameters=9, accuracy=a)
                for d, a in [(2, 1.0), (8, 0.95), (32, 0.5)]]  # fmt: skip
    pace, recall = words(found_with(paces=paces, recall=recalled))
    assert "0.50 times the Transformer's time in sequences of 4, 1.50 times" in pace
    assert "RNN none, LSTM none, Transformer 8" in recall


@pytest.mark.parametrize("kind", ["rnn", "lstm", "transformer"])
def test_the_slope_at_the_first_character_is_the_difference_quotient(kind: str) -> None:
    network = build_language(kind, 5, context=6, n_wanted=7000).double().eval()
    window = torch.tensor([[1, 2, 3, 0, 4]])
    embedded = network.embedding(window[:, :-1]).detach()
    loss, slope = [], torch.zeros(network.width, dtype=torch.float64)
    for k in range(network.width):
        loss = []
        for h in (1e-6, -1e-6):
            moved = embedded.clone()
            moved[0, 0, k] += h
            last = network.read(moved)[:, -1]
            loss.append(torch.nn.functional.cross_entropy(last, window[:, -1]).item())
        slope[k] = (loss[0] - loss[1]) / 2e-6
    assert first_step_norm(network, window) == pytest.approx(slope.norm().item(), rel=1e-5)


def test_what_is_to_be_recalled_is_shown_first_and_asked_for_last() -> None:
    inputs, shown = sequences(6, 5, torch.Generator().manual_seed(0))
    assert torch.equal(inputs[:, :4], shown)
    assert (inputs[:, 4:9] == BLANK).all()
    assert (inputs[:, 9:] == CUE).all()
    assert shown.max() < BLANK


def test_a_transformer_recalls_over_a_short_delay() -> None:
    assert measure_recall(PLAN, "transformer", 2, 0).accuracy > 0.9


def test_a_text_too_short_to_measure_with_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has 2,000 characters; the experiment needs 20,000"):
        run_experiment(words_text(2000), WISH, tmp_path, lambda *_: None)


def stop_at(k: int):
    def report(done: int, of: int, name: str) -> None:
        if done == k:
            raise KeyboardInterrupt

    return report


@pytest.mark.slow
def test_the_quick_experiment_is_stopped_gone_on_with_and_drawn(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    text = words_text()
    path.write_text("".join(text.characters[k] for k in text.symbols))
    out = tmp_path / "out"
    wish = Wish(
        text="words", fingerprint=text.fingerprint, minutes=0.1, seed=0, is_quick=True
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        run_experiment(text, wish, out, stop_at(9))
    before = Findings.read(out)
    assert before is not None
    assert before.quality
    assert not before.verdict
    ask = ["why-transformers", "--quick", "--minutes", "0.1", "--text", str(path)]
    done = CliRunner().invoke(app, [*ask, "--out", str(out)])
    assert done.exit_code == 0, done.output
    after = Findings.read(out)
    assert after is not None
    assert after.quality[: len(before.quality)] == before.quality, "not measured again"
    assert (len(after.quality), len(after.recall), len(after.paces)) == (4, 12, 4)
    sizes = {one.n_parameters for one in after.quality}
    assert max(sizes) < 1.05 * min(sizes)
    assert len(after.verdict) == 5
    assert all(sentence in done.output for sentence in after.verdict)
    assert {"why-transformers.png", "why-transformers.svg"} <= {p.name for p in out.iterdir()}
    with pytest.raises(NetworkError, match="holds another experiment"):
        run_experiment(text, wish.model_copy(update={"seed": 5}), out, stop_at(0))
