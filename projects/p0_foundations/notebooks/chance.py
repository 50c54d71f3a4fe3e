# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# A notebook prints, shows what a cell ends in, claims with assert, and has its text in cells:
# ruff: noqa: D100, D103, ERA001, S101, T201

# %% [markdown]
# # The average of a thousand numbers that is worth no more than one
#
# Averaging makes things surer: that is a theorem, and it has a condition. Here is a source whose
# averages of a thousand values spread exactly as widely as single values. More data does not help.

# %%
import numpy as np
from p0_foundations import (
    Belief,
    NumbersError,
    Tensor,
    bayes,
    belief_picture,
    binomial,
    bootstrap,
    bootstrap_picture,
    cauchy,
    central_limit_picture,
    distribution_picture,
    exponential,
    false_alarm_rates,
    false_alarms_picture,
    large_numbers_picture,
    likelihood_picture,
    log,
    maximum_likelihood,
    normal,
    poisson,
    running_means,
    sample_means,
)


def width(values: np.ndarray) -> float:
    """Return the width of the middle half."""
    return float(np.subtract(*np.quantile(values, [0.75, 0.25])))


for source in (normal(), cauchy()):
    means = running_means(source, 1_000, n_paths=4_000, seed=1)
    one, many = width(means[:, 0]), width(means[:, -1])
    print(f"{source.name:7} one value {one:.2f}, mean of 1000 {many:.2f}")
    if source.name == "normal":
        assert np.isclose(one / many, np.sqrt(1_000), rtol=0.1)
    else:
        assert 0.9 < many / one < 1.1

# %%
large_numbers_picture(cauchy())

# %% [markdown]
# Ratios of two noisy numbers behave like this; so do "requests per second" when the seconds can be
# nearly zero. The median of the same draws settles without trouble:

# %%
draws = cauchy().draw(np.random.default_rng(2), (4_000, 101))
print(f"medians of 101: middle half {width(np.median(draws, axis=1)):.2f}")
assert width(np.median(draws, axis=1)) < 0.25 * width(draws.mean(axis=1))

# %% [markdown]
# ## The law of large numbers, with its price
#
# With a variance, means close in as 1/√n: for one more digit, a hundred times the data.

# %%
means = running_means(exponential(), 10_000, n_paths=500, seed=3)
shrink = means[:, 99].std() / means[:, 9_999].std()
print(f"from 100 to 10,000 draws the spread fell {shrink:.1f} times")
assert 8.5 < shrink < 11.5
large_numbers_picture(exponential())

# %% [markdown]
# ## The central limit theorem, and how long it takes
#
# Means of *anything* with a variance become normal, but not equally fast: a skewed source takes
# many more draws. "n = 30 is enough" is a saying about friendly data.

# %%
rare = binomial(1, 0.01)
distances = {
    (source.name, n): sample_means(source, n, n_samples=10_000).distance
    for source in (exponential(), rare)
    for n in (30, 1_000)
}
for (name, n), distance in distances.items():
    print(f"{name:11} n={n:5}: {distance:.3f} from normal")
assert distances["binomial", 30] > 0.3  # 74 % of such samples hold no success at all
assert distances["binomial", 1_000] < 0.1
assert distances["exponential", 30] < 0.05
central_limit_picture(exponential())

# %%
try:
    sample_means(cauchy(), 30)
except NumbersError as refused:
    print(refused)
else:
    raise AssertionError("the theorem spoke of a source without a variance")

# %% [markdown]
# ## Maximum likelihood: the parameter that makes the data least surprising
#
# Counts of support tickets a day. The most likely rate is their mean, which you would have guessed;
# its uncertainty you might not have. It comes from the bend at the top: a sharp peak is a sure
# answer. (We search in the logarithm, where the rate cannot become negative.)

# %%
tickets = poisson(4.0).draw(np.random.default_rng(5), (60,))


def surprise(p: Tensor) -> Tensor:
    return (np.e ** p[0]) * len(tickets) - p[0] * tickets.sum()


fit = maximum_likelihood(surprise, [0.0])
rate = float(np.exp(fit.parameters[0]))
print(f"rate {rate:.3f} ± {rate * fit.standard_errors[0]:.3f}; mean {tickets.mean():.3f}")
assert np.isclose(rate, tickets.mean())
assert np.isclose(rate * fit.standard_errors[0], np.sqrt(tickets.mean() / 60))
likelihood_picture(surprise, 0.0, "log of the rate")

# %%
distribution_picture(poisson(4.0))

# %% [markdown]
# ## Bayes: a good test for a rare thing is mostly wrong when it cries
#
# One in a thousand has it. The test finds 99 % of them, and is wrong on 2 % of the others. It says
# yes. How sure are you? Most people say 98 %.

# %%
after_one = bayes([0.001, 0.999], [0.99, 0.02])
after_two = bayes(after_one, [0.99, 0.02])
print(f"after one positive {after_one[0]:.1%}, after a second, independent one {after_two[0]:.1%}")
assert after_one[0] < 0.05
assert after_two[0] > 0.65

# %% [markdown]
# The same rule with a whole range of hypotheses: 3 of 3 users liked it. "100 %" is the most likely
# share, and nobody believes it. Starting from not knowing, the expected share is 80 % and the
# interval is honest.

# %%
beliefs = [Belief(), Belief().after(3, 0), Belief().after(30, 4)]
low, high = beliefs[1].interval()
print(f"3 of 3: mean {beliefs[1].mean:.2f}, 95 % within {low:.2f} to {high:.2f}")
assert np.isclose(beliefs[1].mean, 0.8)
assert low < 0.45
belief_picture(*beliefs)

# %% [markdown]
# ## Bootstrap: an interval for anything, from the sample alone
#
# No formula for the error of a median? Draw from the sample itself. But test the tool: over many
# samples, a 95 % interval should hold the truth about 95 times in 100, and for a *maximum* it
# does not, because no resample can hold a value larger than the largest seen.

# %%
rng = np.random.default_rng(8)
truth = np.log(2)  # the median of an exponential
hits = {"median": 0, "maximum": 0}
for k in range(200):
    sample = rng.exponential(size=80)
    one = bootstrap(sample, np.median, n_resamples=500, seed=k)
    hits["median"] += int(one.low <= truth <= one.high)
    top = bootstrap(rng.uniform(size=80), np.max, n_resamples=500, seed=k)
    hits["maximum"] += int(top.low <= 1.0 <= top.high)
print("intervals that hold the truth, of 200:", hits)
assert 178 <= hits["median"] <= 199
assert hits["maximum"] == 0
bootstrap_picture(bootstrap(rng.exponential(size=80), np.median))

# %% [markdown]
# ## Twenty tests of nothing
#
# Green jelly beans, twenty feature flags, twenty hyperparameters on one validation set: with twenty
# honest 5 % tests of nothing, the chance of at least one discovery is 64 %.

# %%
rates = false_alarm_rates(20)
print({name: f"{rate:.0%}" for name, rate in rates.items()})
assert abs(rates["none"] - (1 - 0.95**20)) < 0.03
assert max(rates["bonferroni"], rates["holm"]) < 0.07
false_alarms_picture()

# %% [markdown]
# Logarithms tie it together: independent evidence multiplies, so its logarithms add. Likelihoods
# of a thousand rows underflow as a product and are harmless as a sum.

# %%
values = normal().draw(rng, (2_000,))
product = normal().density(values).prod()
total = log(Tensor(normal().density(values))).sum().item()
print(f"product {product}, sum of logarithms {total:.1f}")
assert product == 0.0
assert np.isfinite(total)
