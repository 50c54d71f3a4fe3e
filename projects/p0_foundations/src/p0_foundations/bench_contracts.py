"""What each bench of the probability room is asked, and what it answers: numbers to draw.

Every answer carries `says`, its finding in one sentence. Read next: `benches.py`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

Source = Literal["normal", "uniform", "exponential", "coin", "poisson", "cauchy"]
Model = Literal["waiting times", "counts", "coin", "measurements"]
Statistic = Literal["mean", "median", "std"]
Numbers = tuple[float, ...]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="The same seed, the same numbers.")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Asked(_Value):
    """A number is a number: true is not 1."""

    model_config = ConfigDict(strict=True)


class Histogram(_Value):
    """Heights over the middles `x` of equal bins from `low` to `high`."""

    x: Numbers
    low: float
    high: float
    observed: Numbers = Field(description="Per unit of x, so that the bars' area is at most 1.")
    expected: Numbers = Field(description="The curve that theory draws over them.")


class DistributionQuestion(_Asked):
    """Draw from a distribution."""

    source: Source = "normal"
    a: FiniteFloat = Field(0.0, ge=-100, le=100, description="Mean, low end, rate, share, middle.")
    b: FiniteFloat = Field(1.0, ge=-100, le=100, description="Spread, high end, number of tries.")
    n: int = Field(500, ge=2, le=100_000, description="Values drawn.")
    seed: Seed = 0


class DistributionAnswer(_Value):
    """A density and a sample of it."""

    says: str
    histogram: Histogram
    mean: float | None = Field(description="None where there is none.")
    std: float | None
    sample_mean: float
    standard_error: float | None = Field(description="Of the sample's mean.")


class LargeNumbersQuestion(_Asked):
    """Watch averages settle."""

    source: Source = "coin"
    n: int = Field(2_000, ge=10, le=50_000, description="Draws of each path.")
    n_paths: int = Field(5, ge=1, le=8)
    seed: Seed = 0


class LargeNumbersAnswer(_Value):
    """Averages of the first k draws, at some k."""

    says: str
    at: tuple[int, ...] = Field(description="k, closer together where it is small.")
    paths: tuple[Numbers, ...]
    mean: float | None
    low: Numbers = Field(description="mean ± 1.96 standard errors; 95 % of paths; empty if none.")
    high: Numbers


class CentralLimitQuestion(_Asked):
    """Look at the means of many samples."""

    source: Source = "exponential"
    size: int = Field(2, ge=1, le=500, description="Values in each sample.")
    n_samples: int = Field(5_000, ge=100, le=20_000)
    seed: Seed = 0


class CentralLimitAnswer(_Value):
    """How the means spread, beside the curve they should follow."""

    says: str
    histogram: Histogram
    distance: float | None = Field(description="Kolmogorov's, to the normal; None if not told.")


class LikelihoodQuestion(_Asked):
    """Look for the parameter that makes the data most likely."""

    model: Model = "waiting times"
    truth: FiniteFloat = Field(1.0, ge=0.01, le=20, description="What the data are drawn with.")
    n: int = Field(20, ge=2, le=1_000)
    at: FiniteFloat | None = Field(None, ge=-50, le=50, description="The parameter you try.")
    seed: Seed = 0


class LikelihoodAnswer(_Value):
    """The likelihood of each parameter, as a share of its top."""

    says: str
    values: Numbers
    parameter: Numbers
    likelihood: Numbers
    best: float
    low: float = Field(description="95 % interval from the curvature at the top.")
    high: float
    at: float
    at_likelihood: float
    histogram: Histogram = Field(description="The data beside the density of the tried parameter.")


class BayesQuestion(_Asked):
    """Flip a coin of unknown bias and update a belief."""

    a: FiniteFloat = Field(1.0, gt=0, le=1_000, description="Prior: as if so many heads, plus one.")
    b: FiniteFloat = Field(1.0, gt=0, le=1_000, description="Prior: as if so many tails, plus one.")
    share: float = Field(0.7, ge=0, le=1, description="How often this coin really shows heads.")
    n_flips: int = Field(0, ge=0, le=5_000)
    seed: Seed = 0


class BayesAnswer(_Value):
    """What is believed before and after."""

    says: str
    n_heads: int
    share: Numbers
    prior: Numbers
    posterior: Numbers
    mean: float
    low: float = Field(description="The middle 95 % of the belief.")
    high: float


class BootstrapQuestion(_Asked):
    """Ask a small sample how sure it is."""

    values: tuple[Annotated[float, Field(ge=-1e9, le=1e9)], ...] = Field(
        min_length=2,
        max_length=500,
        strict=False,  # JSON has lists
    )
    statistic: Statistic = "mean"
    level: float = Field(0.95, ge=0.5, le=0.999)
    n_resamples: int = Field(2_000, ge=100, le=10_000)
    seed: Seed = 0


class BootstrapAnswer(_Value):
    """A statistic, its values on resamples, and their middle."""

    says: str
    estimate: float
    low: float
    high: float
    histogram: Histogram = Field(description="`expected` is the normal curve of the same spread.")


class ManyTestsQuestion(_Asked):
    """Test many things of which none is there."""

    n_tests: int = Field(20, ge=1, le=500)
    alpha: float = Field(0.05, gt=0, lt=1)
    seed: Seed = 0


class Alarms(_Value):
    """What one way of correcting does."""

    correction: str
    rate: float = Field(description="Share of experiments with at least one false alarm.")
    low: float = Field(description="95 % interval of the share (Wilson 1927).")
    high: float
    n_now: int = Field(description="False alarms in the experiment shown.")


class ManyTestsAnswer(_Value):
    """One experiment, and how many thousands of them end."""

    says: str
    p_values: Numbers = Field(description="Of the experiment shown, smallest first.")
    alarms: tuple[Alarms, ...]
    n_repeats: int
