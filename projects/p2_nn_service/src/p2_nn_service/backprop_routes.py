"""Backpropagation seen, over HTTP: reads `web/backprop.json`, which `backprop.py` makes."""

from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query

from p2_nn_service.contracts import (
    N_SMALL_NETWORKS,
    Activation,
    BackpropGraph,
    BackpropGraphs,
    SmallLoss,
)

FILE = Path(__file__).parent / "web" / "backprop.json"


@cache
def read_graphs() -> BackpropGraphs:
    """Return every variation, read once."""
    return BackpropGraphs.model_validate_json(FILE.read_text(encoding="utf-8"))


def backprop_router() -> APIRouter:
    """Make the route."""
    router = APIRouter(prefix="/v1", tags=["backprop"])

    @router.get("/backprop")
    def backprop(
        seed: Annotated[int, Query(ge=0, lt=N_SMALL_NETWORKS)] = 0,
        activation: Activation = "tanh",
        loss: SmallLoss = "cross_entropy",
    ) -> BackpropGraph:
        """Show a small network with value and gradient at each node, phase 0's beside torch's."""
        graphs = {(one.seed, one.activation, one.loss_kind): one for one in read_graphs().graphs}
        return graphs[seed, activation, loss]

    return router
