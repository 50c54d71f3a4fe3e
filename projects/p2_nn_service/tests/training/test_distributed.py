"""Two real processes under torchrun train what one trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import load_classifier, train_classifier
from p2_nn_service.training.recipe import Recipe

RECIPE = Recipe(
    epochs=2, batch_size=9, accumulate=2, learning_rate=0.005, optimiser="sgd",
    augment=("shift", "noise"), average_decay=0.9, clip_norm=5.0, precision="fp32",
)  # fmt: skip
PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import train_classifier
from p2_nn_service.training.distributed import together
from p2_nn_service.training.recipe import Recipe

torch.set_num_threads(1)
examples = np.load(sys.argv[1])
squares = Dataset("squares", examples["inputs"], examples["labels"], ("l", "m", "r"))
recipe = Recipe.from_text(json.loads(sys.argv[3]))
with together():
    train_classifier(squares, "cnn", recipe, settings=Settings(data_dir=Path(sys.argv[2])))
"""
TOGETHER = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.mark.slow
def test_two_processes_train_what_one_trains_within_rounding(
    squares: Dataset, tmp_path: Path
) -> None:
    """With batch norm, odd batches, accumulation, augmentation and averaged weights."""
    program, examples = tmp_path / "program.py", tmp_path / "squares.npz"
    program.write_text(PROGRAM)
    np.savez(examples, inputs=squares.inputs, labels=squares.labels)
    recipe = json.dumps(RECIPE.as_text())
    command = [sys.executable, *TOGETHER, str(program), str(examples), str(tmp_path), recipe]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    two = load_classifier(folder.name, settings=Settings(data_dir=tmp_path), dataset=squares)
    alone = Settings(data_dir=tmp_path / "alone")
    one = train_classifier(squares, "cnn", RECIPE, settings=alone)
    weights = two.network.state_dict()
    for name, weight in one.network.state_dict().items():
        torch.testing.assert_close(weights[name], weight, rtol=1e-4, atol=1e-5, msg=name)
    assert two.record.step == one.record.step == 12
    assert two.record.metrics == pytest.approx(one.record.metrics, rel=1e-3)
