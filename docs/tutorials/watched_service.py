"""The program of `watched-service.md`: from a CSV to a watched service, then failures."""

# A guide claims with assert, starts our own service, imports where a reader meets it, and prints:
# ruff: noqa: E402, S101, S603, T201

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable

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


def ask(table: pd.DataFrame) -> list[tuple[str, int]]:
    """Ask about a table, fifty rows a request; return the name of each answer: id and row."""
    rows = table.astype(object).where(table.notna(), None)
    rows["joined"] = [moment.isoformat() for moment in table["joined"]]
    named: list[tuple[str, int]] = []
    for start in range(0, len(rows), 50):
        part = rows.iloc[start : start + 50].to_dict("records")
        made = client.post("/v1/predict", json={"rows": part}).json()["id"]
        named += [(made, k) for k in range(len(part))]
    return named


def told(answers: list[tuple[str, int]], truths: Iterable[str]) -> list[dict[str, object]]:
    """Put answers and what they turned out to be together, as /v1/feedback takes them."""
    pairs = zip(answers, truths, strict=True)
    return [{"id": made, "row": k, "truth": truth} for (made, k), truth in pairs]


# --- healthy ---
first = members(seed=1, n=600)
answers = ask(first.drop(columns="left"))
seen = client.get("/v1/monitoring", params={"hours": 1}).json()
print(seen["verdict"])
# --- end ---
assert not [one for one in seen["alerts"] if one["severity"] == "problem"]

# --- feedback ---
stored = client.post("/v1/feedback", json={"truths": told(answers, first["left"])}).json()
print(stored)
scores = client.get("/v1/live-scores").json()
print(scores["verdict"])
for name in ("accuracy", "precision", "recall"):
    live, held_out = scores["metrics"][name], scores["expected"].get(name)
    print(
        f"{name:9} {live['value']:.2f} ({live['low']:.2f} to {live['high']:.2f})"
        + (f", held out {held_out['value']:.2f}" if held_out else "")
    )
# --- end ---
assert stored["n_stored"] == 600

# --- drift ---
older = members(seed=2, n=600, mean_age=52.0)
ask(older.drop(columns="left"))
seen = client.get("/v1/monitoring", params={"hours": 1}).json()
for alert in seen["alerts"]:
    print(f"{alert['severity']}: {alert['message']}\n  next: {alert['next_step']}")
# --- end ---
assert any(alert["subject"] == "age" for alert in seen["alerts"])

# --- strange ---
odd = {**row, "age": 200, "plan": "lifetime"}
answer = client.post("/v1/predict", json={"rows": [odd]}).json()["predictions"][0]
for warning in answer["warnings"]:
    print(warning)
# --- end ---
assert len(answer["warnings"]) == 2

# --- world ---
moved = members(seed=3, n=600)
moved["left"] = np.where(moved["plan"] == "year", "yes", moved["left"])  # a rival's offer
answers = ask(moved.drop(columns="left"))
client.post("/v1/feedback", json={"truths": told(answers, moved["left"])})
print(client.get("/v1/live-scores").json()["verdict"])
# --- end ---
assert "below" in client.get("/v1/live-scores").json()["verdict"]

# --- swap ---
again = train(moved, target="left", positive="yes", minutes=0.2)
version = again.publish(alias="candidate")
client.post("/v1/promote", json={"version": version.version}).raise_for_status()
print("serves version", client.get("/v1/model").json()["model"]["version"])
client.post("/v1/roll-back").raise_for_status()
print("serves version", client.get("/v1/model").json()["model"]["version"])
# --- end ---

# --- foreign ---
other = train(moved.drop(columns="visits"), target="left", positive="yes", minutes=0.1)
version = other.publish(alias=None)
refused = client.post("/v1/promote", json={"version": version.version}).json()
print(refused["status"], refused["title"])
print(refused["detail"])
# --- end ---
assert client.get("/v1/model").json()["model"]["version"] == 1

# --- killed ---
answers = ask(first.head(50).drop(columns="left"))
stored = client.post("/v1/feedback", json={"truths": told(answers, first["left"].head(50))}).json()
before = client.get("/v1/live-scores").json()["n_truths"]
service.stop(signal.SIGKILL)
service = Service()
client = service.client
after = client.get("/v1/live-scores").json()["n_truths"]
print(f"{before} truths before kill -9, {after} after")
# --- end ---
assert before == after

service.stop()
home.cleanup()
