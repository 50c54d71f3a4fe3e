"""Texts as vectors: all-MiniLM-L6-v2 in ONNX Runtime, from its published weights, without torch.

Start with `embedder.py`, which embeds, and `unpadded.py`, how. A graph is loaded by
`graph_cache.py`: built once by `graph.py` from `tensor_files.py` (safetensors), `lora.py` (adapters
merged into weights) and `quantising.py`; `graph_form.py` says which graphs there are, `minilm.py`
which model it is, `tokens.py` what it reads.
"""
