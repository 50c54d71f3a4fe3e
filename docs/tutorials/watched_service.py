"""The program of `watched-service.md`: from a CSV to a watched service, then failures."""

# A guide claims with assert, starts our own service, imports where a reader meets it, and prints:
# ruff: noqa: E402, S101, S603, T201

import os
import re
import signal
import subprocess
import sys
import tempfile

import httpx2
import numpy as np
import pandas as pd

home = tempfile.TemporaryDirectory(prefix="watched-")
os.environ["ROADMAP_DATA_DIR"] = f"{home.name}/data"
os.environ["ROADMAP_LOG_LEVEL"] = "error"
os.environ["P1_MODEL"] = "members"
os.chdir(home.name)


# --- table ---
def members(seed: int, n: int = 3000, mean_age: float = 38.0) -> pd.DataFrame:
    """Members of a gym. Monthly payers, the young and those who seldom come leave more often."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"age": rng.normal(mean_age, 11, n).clip(16, 80).round()})
    table["plan"] = rng.choice(["month", "year"], n, p=[0.6, 0.4])
    table["visits"] = rng.poisson(np.where(table["plan"] == "year", 9, 6))
    table["joined"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, n), "D")
    table["fee"] = np.where(rng.random(n) < 0.04, np.nan, rng.normal(35, 4, n).round(2))
    wish = -0.06 * (table["age"] - 38) + 1.2 * (table["plan"] == "month") - 0.25 * table["visits"]
    table["left"] = np.where(wish + rng.logistic(0, 1, n) > -0.6, "yes", "no")
    return table


members(seed=0).to_csv("members.csv", index=False)
# --- end ---

# --- train ---
from p1_prediction_api import train

run = train("members.csv", target="left", positive="yes", minutes=0.5)
print(run.verdict)
print(run.card.chosen_because)
# --- end ---
assert run.card.metrics["roc_auc"].value > 0.75

# --- leak ---
table = members(seed=0)
table["exit_form"] = np.where(table["left"] == "yes", "signed", "none on file")
leaking = train(table, target="left", positive="yes", minutes=0.1)
print(leaking.verdict)
# --- end ---
assert "exit_form" in leaking.verdict

# --- publish ---
version = run.publish()
print(f"{version.model} version {version.version}, {len(version.files)} files")
# --- end ---


class Service:
    """The service in a process of its own; its address is the last word of its first line."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "p1_prediction_api.cli", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+:\d+", self.process.stdout.readline())
        assert found is not None
        self.client = httpx2.Client(base_url=found[0], timeout=30)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it, kindly or not."""
        self.process.send_signal(how)
        self.process.wait(30)
        self.client.close()


service = Service()
client = service.client

# --- predict ---
row = {"age": 24, "plan": "month", "visits": 2, "joined": "2025-03-01", "fee": 35.0}
answer = client.post("/v1/predict", json={"rows": [row]}).json()
print(answer["predictions"][0]["prediction"], answer["predictions"][0]["probabilities"])
# --- end ---
assert answer["predictions"][0]["prediction"] == "yes"

# --- explain ---
why = client.post("/v1/explain", json={"rows": [row]}).json()["explanations"][0]
for part in why["attributions"]:
    print(f"{part['feature']:8} {part['value']!s:12} {part['attribution']:+.2f}")
total = why["base"] + sum(part["attribution"] for part in why["attributions"])
print(f"base {why['base']:.2f}, sum {total:.2f}, score {why['score']:.2f}")
# --- end ---
assert abs(total - why["score"]) < 1e-9

# --- refused ---
wrong = client.post("/v1/predict", json={"rows": [{**row, "age": "young", "visits": None}]})
problem = wrong.json()
print(wrong.status_code, problem["title"])
for error in problem["errors"]:
    print(f"  {error['field']}: {error['message']}")
# --- end ---
assert wrong.status_code == 422

service.stop()
