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

# A notebook prints, claims with assert, and has its text in cells instead of docstrings:
# ruff: noqa: D100, D103, ERA001, S101, T201

# %% [markdown]
# # What is in this table, and has it moved?
#
# A model learns whatever the table says, mistakes included. Before training, ask what the columns
# hold; after deploying, ask whether they still hold the same. This notebook plants four faults in a
# table, finds them, and then shows why "is it different?" needs both a test and a size.
#
# Open it in Jupyter with jupytext, or run it as a script: every cell is plain Python.

# %%
import numpy as np
import pandas as pd
from p0_foundations import profile_frame

rng = np.random.default_rng(7)
n = 2_000


def members(rng: np.random.Generator, n: int, mean_age: float = 38.0) -> pd.DataFrame:
    """Draw members of a gym: the young and the monthly payers leave more often."""
    table = pd.DataFrame({"age": rng.normal(mean_age, 11, n).clip(16, 80).round()})
    table["plan"] = rng.choice(["month", "year"], n, p=[0.6, 0.4])
    table["visits"] = rng.poisson(np.where(table["plan"] == "year", 9, 6))
    wish = -0.04 * (table["age"] - 38) + 0.9 * (table["plan"] == "month") - 0.2 * table["visits"]
    table["left"] = np.where(wish + rng.logistic(0, 1, n) > -0.8, "yes", "no")
    return table


# %% [markdown]
# ## Four faults
#
# A fee of -999 that means "not known", a "?" that means the same, rows that were loaded twice, and
# a column that somebody filled in *after* the member had left. The last is the dangerous one: a
# model that uses it is perfect on the past and useless today.

# %%
table = members(rng, n)
table["fee"] = np.where(rng.random(n) < 0.03, -999.0, rng.normal(35, 4, n).round(2))
table["phone"] = np.where(rng.random(n) < 0.3, "?", rng.choice(["private", "work"], n))
table["exit_form"] = np.where(table["left"] == "yes", "signed", "none on file")
table = pd.concat([table, table.sample(40, random_state=0)], ignore_index=True)

profile = profile_frame(table, target="left")
print(profile.verdict)
for finding in profile.findings:
    print(f"{finding.severity:8} {finding.message}")

assert profile.leak_suspects == ("exit_form",)
assert profile.n_duplicate_rows >= 40

# %% [markdown]
# Each column's power is measured out of fold: the mean of the target in a bin is learnt on four
# fifths of the rows and predicts the fifth left out. Honest columns help a little; a leak helps too
# much.

# %%
powers = pd.Series({one.column: one.power for one in profile.predictors})
print(powers.round(2))
assert powers["exit_form"] > 0.98 > 2 * powers.drop("exit_form").max()

# %% [markdown]
# ## Chance looks like drift
#
# Two samples of the same distribution always differ. Compare many columns and the smallest p-value
# is small by luck alone: with twenty columns, one of them is "significant at 5 %" most of the time.

# %%
n_columns, n_trials = 20, 100


def noise(rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        rng.normal(size=(300, n_columns)), columns=[f"x{k}" for k in range(n_columns)]
    )


naive = corrected = 0
for _ in range(n_trials):
    report = profile_frame(noise(rng)).drift(profile_frame(noise(rng)), alpha=0.05)
    naive += any((column.p_value or 0.0) < 0.05 for column in report.columns)
    corrected += any((column.p_adjusted or 0.0) < 0.05 for column in report.columns)
print(f"some column 'moved' in {naive} of {n_trials} comparisons; corrected, in {corrected}")
assert naive > 40
assert corrected <= 12

# %% [markdown]
# ## Everything is significant when there is enough of it
#
# With sixty thousand rows a shift of a twentieth of a standard deviation is certain, and matters to
# nobody. The PSI says how large it is; the report calls it slight and raises no alarm.

# %%
large = pd.DataFrame({"x": rng.normal(0.00, 1, 60_000)})
later = pd.DataFrame({"x": rng.normal(0.05, 1, 60_000)})
tiny = profile_frame(large).drift(profile_frame(later)).column("x")
print(f"adjusted p {tiny.p_adjusted:.1e}, PSI {tiny.psi:.4f}: {tiny.severity}")
assert tiny.severity == "slight"

# %% [markdown]
# ## A change that matters
#
# Half a year later the members are older. The profile of the reference was stored with the model:
# no row of it is needed to see the change, only its sketch.

# %%
stored = profile_frame(members(rng, n)).to_json()
today = profile_frame(members(rng, n, mean_age=46.0))
report = type(today).from_json(stored).drift(today)
print(f"{len(stored) / 1000:.0f} kB stored. {report.verdict}")
for column in report.columns:
    print(f"{column.severity:8} {column.column}: {column.message}")
assert "age" in report.drifted
assert "plan" not in report.drifted
