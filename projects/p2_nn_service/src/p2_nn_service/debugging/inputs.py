"""What the network is fed: its scale, its range, what never changes in it.

LeCun et al., "Efficient BackProp" (1998, section 4.3): inputs with mean 0 and variance 1 are
learned from fastest. Far from that, a first step may be a hundred times too long.
"""

from collections.abc import Iterator

from torch import Tensor

from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Bars, Finding, Severity
from p2_nn_service.debugging.subject import Subject

CODE = "inputs"
N_EXAMPLES = 2000
OFF_MEAN, FAR_MEAN = 1.0, 5.0
NARROW, WIDE, FAR_WIDE = 0.1, 4.0, 20.0
"""Of a channel, over all examples and places."""
EXTREME = 100.0
MANY_CONSTANT = 0.95
MANY_BLANK = 0.02


def check_inputs(subject: Subject, time: Allowance) -> Finding:
    """Look at the numbers that the network reads: scale, range, what never changes."""
    time.told(0)
    x, _ = subject.sample(subject.training, N_EXAMPLES)
    x = x.cpu().double()
    n_odd = int((~x.isfinite()).flatten(1).any(1).sum())
    if n_odd:
        return Finding(
            code=CODE, severity="problem", figures={"examples_with_nan": n_odd},
            verdict=f"{n_odd} of {len(x)} examples hold NaN or infinity.",
            next="Fill or leave out what is missing before the network reads it.",
        )  # fmt: skip
    over = [0, *range(2, x.dim())]
    means, stds = x.mean(over), x.std(over, correction=0)
    figures = {
        "mean": means[means.abs().argmax()].item(), "std": stds[stds.log().abs().argmax()].item(),
        "lowest": x.min().item(), "highest": x.max().item(),
        "constant_values": (x == x[:1]).all(0).double().mean().item(),
        "blank_examples": (x.flatten(1).amax(1) == x.flatten(1).amin(1)).double().mean().item(),
    }  # fmt: skip
    drawn = Bars(
        title="Mean and deviation of each channel", y_title="as the network reads it",
        bars={f"{what} {k}": one for what, values in (("mean", means), ("std", stds))
              for k, one in enumerate(values.tolist())},
    )  # fmt: skip
    for severity, verdict, what in _complaints(figures, means, stds):
        return Finding(
            code=CODE, severity=severity, verdict=verdict, next=what, figures=figures,
            drawings=(drawn,),
        )  # fmt: skip
    return Finding(
        code=CODE, severity="ok", figures=figures, drawings=(drawn,),
        verdict=f"Inputs are normalised: mean {figures['mean']:.2f}, deviation "
        f"{figures['std']:.2f}, from {figures['lowest']:.1f} to {figures['highest']:.1f}.",
    )  # fmt: skip


def _complaints(
    figures: dict[str, float], means: Tensor, stds: Tensor
) -> Iterator[tuple[Severity, str, str]]:
    """Yield what is wrong, the worst first: how severe, in words, what to do."""
    mean, std = figures["mean"], figures["std"]
    lowest, highest = figures["lowest"], figures["highest"]
    said = f"mean {mean:.3g}, deviation {std:.3g}, from {lowest:.3g} to {highest:.3g}"
    what = "Take off each channel's mean and divide by its deviation, as training data has them."
    dead = [str(k) for k, one in enumerate(stds.tolist()) if one == 0]
    if dead:
        yield (
            "problem" if len(dead) == len(stds) else "warning",
            f"Channel {', '.join(dead[:4])} holds one value alone: it tells the network nothing.",
            "Leave it out, or find out why it is empty.",
        )
    elif abs(mean) > FAR_MEAN or std > FAR_WIDE or std < NARROW / FAR_MEAN:
        yield "problem", f"Inputs are not normalised: {said}.", what
    elif max(abs(one) for one in means.tolist()) > OFF_MEAN or not NARROW < std < WIDE:
        yield "warning", f"Inputs are not quite normalised: {said}.", what
    if highest > EXTREME or lowest < -EXTREME:
        yield (
            "warning",
            f"Some inputs are far out: {said}.",
            "Clip them, or take the logarithm of what has a long tail.",
        )
    if figures["constant_values"] > MANY_CONSTANT:
        share = f"{figures['constant_values']:.0%}"
        yield "warning", f"{share} of the inputs never change.", "Crop what is empty."
    if figures["blank_examples"] > MANY_BLANK:
        share = f"{figures['blank_examples']:.0%}"
        yield "warning", f"{share} of the examples are blank.", "Leave out what could not be read."
