"""Embeds many chunks on the machines of a Ray cluster, through Ray Data; needs the extra `ray`.

An embedder like any other, so that indexing does not know: give `Indexer` a large
`chunks_at_once`, as every call is a job of its own. Without a cluster Ray starts one here.
"""

from collections.abc import Callable, Sequence

import numpy as np
import ray  # pyrefly: ignore[missing-import] - an extra that development does not install
import ray.data  # pyrefly: ignore[missing-import] - the same
from numpy.typing import NDArray

from p3_rag_chatbot.ports import Embedder, Vectors

CHUNKS_AT_ONCE = 20_000
_BATCH = 256
_TRIES = 4

MakeEmbedder = Callable[[], Embedder]
Batch = dict[str, NDArray[np.generic]]


class RayEmbedder:
    """Embeds over `n_workers` actors that each make their own embedder once.

    `make` is sent to them: a function of a module, or a `functools.partial` of one. `local` is
    asked what needs no cluster: names, dimensions and tokens.
    """

    def __init__(self, make: MakeEmbedder, local: Embedder, *, n_workers: int) -> None:
        self._make, self._local, self._n_workers = make, local, n_workers
        if not ray.is_initialized():
            _start()

    @property
    def name(self) -> str:
        """Which model this is."""
        return self._local.name

    @property
    def n_dims(self) -> int:
        """Length of a vector."""
        return self._local.n_dims

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens, here."""
        return self._local.count_tokens(texts)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts on the cluster; (n, n_dims) float32, in their order."""
        vectors = np.zeros((len(texts), self.n_dims), dtype=np.float32)
        if not texts:
            return vectors
        # Neighbours by length share a batch, and so are padded least.
        order = sorted(range(len(texts)), key=lambda k: len(texts[k]))
        rows = [{"place": k, "text": texts[k]} for k in order]
        data = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // _BATCH))
        embedded = data.map_batches(
            _Worker,
            fn_constructor_args=(self._make,),
            batch_size=_BATCH,
            compute=ray.data.ActorPoolStrategy(size=self._n_workers),
        )
        for batch in embedded.iter_batches(batch_size=None, batch_format="numpy"):
            vectors[batch["place"].astype(np.int64)] = np.stack(list(batch["vector"]))
        return vectors


def _start() -> None:
    """Join the cluster that `RAY_ADDRESS` names, or start one here; a start that is slow again."""
    for n_tries in range(1, _TRIES + 1):
        try:
            ray.init(log_to_driver=False, include_dashboard=False)
        except Exception:  # Ray has no narrower one for a node that is not ready within 15 s
            ray.shutdown()
            if n_tries == _TRIES:
                raise
        else:
            return


class _Worker:
    """What runs in each actor: its own embedder, made when the actor starts."""

    def __init__(self, make: MakeEmbedder) -> None:
        self._embedder = make()

    def __call__(self, batch: Batch) -> Batch:
        texts = [str(text) for text in batch["text"]]
        return {"place": batch["place"], "vector": self._embedder.embed(texts)}
