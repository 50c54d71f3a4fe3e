"""No library that we use reports to its maker: each one's opt-out, set before it is loaded.

Some libraries send who uses them, on what machine, unless a variable forbids it: ONNX Runtime from
1.29 on Linux, too (it also writes a device id into the home directory), MLflow since 3.2. Whoever
imports one of them calls `keep_to_ourselves` first. A person who wants to report sets the variable
to something else: a value that is there already stands.
"""

import os

OPT_OUTS = {
    "ORT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def keep_to_ourselves() -> None:
    """Set every opt-out that the environment leaves open; child processes inherit them."""
    for variable, value in OPT_OUTS.items():
        os.environ.setdefault(variable, value)
