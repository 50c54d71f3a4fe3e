"""Data with a planted bug: each is told by its check, with the share that was planted."""

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.allowance import Allowance, CannotTellError
from p2_nn_service.debugging.inputs import check_inputs
from p2_nn_service.debugging.labels import check_labels
from p2_nn_service.debugging.leaks import check_alone, check_shuffled
from p2_nn_service.debugging.repeats import check_repeats
from p2_nn_service.debugging.subject import Subject
from torch import Tensor, nn

MakeSubject = Callable[..., Subject]
MakeDataset = Callable[..., Dataset]


def raw(part: Dataset) -> Tensor:
    return torch.from_numpy(part.inputs).float()


# ---------------------------------------------------------------------------------------- inputs
def test_inputs_that_are_not_normalised_are_told(make_subject: MakeSubject) -> None:
    found = check_inputs(make_subject(prepare=raw), Allowance())
    assert found.severity == "problem"
    assert found.verdict.startswith("Inputs are not normalised: mean 7")
    assert found.figures["highest"] > 200


def test_a_channel_that_holds_one_value_alone_is_told(
    make_subject: MakeSubject, bars: MakeDataset
) -> None:
    grey = bars()
    coloured = replace(
        grey, inputs=np.concatenate([grey.inputs, grey.inputs, 0 * grey.inputs], 1), fingerprint=""
    )
    found = check_inputs(make_subject(dataset=coloured), Allowance())
    assert found.severity == "warning"
    assert found.verdict.startswith("Channel 2 holds one value alone")


def test_an_example_with_nan_is_told(make_subject: MakeSubject) -> None:
    def torn(part: Dataset) -> Tensor:
        x = raw(part) / 255
        x[:3, 0, 0, 0] = torch.nan
        return x

    found = check_inputs(make_subject(prepare=torn), Allowance())
    assert found.severity == "problem"
    assert found.verdict.startswith("3 of 361 examples hold NaN")


def test_inputs_far_out_and_blank_examples_are_told(
    make_subject: MakeSubject, bars: MakeDataset
) -> None:
    def far_out(part: Dataset) -> Tensor:
        x = (raw(part) - 78) / 60
        x[0] = 1000.0
        return x.clamp_(-3, None)

    found = check_inputs(make_subject(prepare=far_out), Allowance())
    assert found.severity in {"warning", "problem"}
    blank = bars()
    blank.inputs[::10] = 7
    found = check_inputs(make_subject(dataset=replace(blank, fingerprint="")), Allowance())
    assert found.severity == "warning"
    assert "10% of the examples are blank" in found.verdict


# --------------------------------------------------------------------------------------- repeats
def test_held_out_examples_that_are_trained_on_are_counted(make_subject: MakeSubject) -> None:
    subject = make_subject()
    held_out = subject.held_out
    inputs = held_out.inputs.copy()
    inputs[:10] = subject.training.inputs[:10]
    subject = replace(subject, held_out=replace(held_out, inputs=inputs, fingerprint=""))
    found = check_repeats(subject, Allowance())
    assert found.severity == "problem"
    assert found.verdict.startswith("25.6% of held-out examples (10) are trained on")


def test_examples_under_two_labels_are_counted(
    make_subject: MakeSubject, bars: MakeDataset
) -> None:
    twice = bars()
    twice.inputs[1::10] = twice.inputs[::10]  # the label moves on, the image stays
    found = (
        check_repeats(make_subject(), Allowance()),
        check_repeats(make_subject(dataset=replace(twice, fingerprint="")), Allowance()),
    )
    assert found[0].severity == "ok"
    assert found[1].severity == "problem"


# ----------------------------------------------------------------------------------------- leaks
def test_a_label_written_into_a_pixel_is_found(
    make_subject: MakeSubject, bars: MakeDataset
) -> None:
    marked = bars()
    marked.inputs[:, 0, 7, 7] = 40 * marked.labels
    found = check_alone(make_subject(dataset=replace(marked, fingerprint="")), Allowance())
    assert found.severity == "warning"
    assert found.verdict.startswith("The one input value (0, 7, 7) tells 100%")


def test_of_a_handful_of_held_out_examples_neither_leak_is_claimed_nor_denied(
    make_subject: MakeSubject,
) -> None:
    """One of 600 values of noise is right on all four: no reason to look for a leak."""
    chance = np.random.default_rng(0)
    noise, labels = chance.integers(0, 255, (40, 6, 100)).astype(np.uint8), np.arange(40) % 2
    subject = make_subject(dataset=Dataset("noise", noise, labels.astype(np.int64), ("a", "b")))
    assert len(subject.held_out) == 4
    for check in (check_alone, check_shuffled):
        with pytest.raises(CannotTellError, match="4 held-out examples are too few"):
            check(subject, Allowance())


def test_a_preparation_that_sees_the_labels_is_found_by_shuffling_them(
    make_subject: MakeSubject,
) -> None:
    def peeking(part: Dataset) -> Tensor:
        x = (raw(part) - 78) / 60
        x[:, 0, 0] = torch.from_numpy(part.labels).float()[:, None]
        return x

    found = check_shuffled(make_subject(prepare=peeking), Allowance())
    assert found.severity == "problem"
    assert "the answers leak" in found.verdict
    assert found.figures["accuracy"] > 0.9


def test_repeats_on_both_sides_are_found_by_shuffling_labels(
    make_subject: MakeSubject, bars: MakeDataset
) -> None:
    wide = nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 3))
    subject = make_subject(lambda: copy.deepcopy(wide), dataset=bars(120))
    held_out = replace(subject.training.take(slice(40)), fingerprint="")
    found = check_shuffled(replace(subject, held_out=held_out), Allowance())
    assert found.severity == "problem"


# ---------------------------------------------------------------------------------------- labels
@pytest.mark.parametrize("seed", range(3))
def test_a_fifth_of_flipped_labels_is_found(
    make_subject: MakeSubject, bars: MakeDataset, seed: int
) -> None:
    clean = bars(600, seed=seed)
    chance = np.random.default_rng(seed)
    flipped = chance.permutation(600)[:120]
    labels = clean.labels.copy()
    labels[flipped] = (labels[flipped] + chance.integers(1, 3, 120)) % 3
    noisy = replace(clean, labels=labels, fingerprint="")
    found = check_labels(make_subject(dataset=noisy, recipe={"seed": seed}), Allowance())
    assert found.severity == "problem"
    assert found.figures["share"] == pytest.approx(0.2, abs=0.05)
    assert len(found.suspects) == 24
    right = [one for one in found.suspects if one.row in set(flipped.tolist())]
    assert len(right) >= 22, "rows of the whole data set"
    assert sum(clean.classes[clean.labels[one.row]] == one.said for one in right) >= 22


def test_labels_in_another_order_than_the_inputs_are_told(
    make_subject: MakeSubject, bars: MakeDataset
) -> None:
    clean = bars()
    shuffled = np.random.default_rng(0).permutation(clean.labels)
    found = check_labels(
        make_subject(dataset=replace(clean, labels=shuffled, fingerprint="")), Allowance()
    )
    assert found.severity == "warning"
    assert "the labels do not follow from the inputs" in found.verdict
