"""Texts as vectors: all-MiniLM-L6-v2 in ONNX Runtime, from its published weights, without torch.

Start with `embedder.py`, which embeds. Below it: `minilm.py` (which files, which shape),
`tensor_files.py` (safetensors), `lora.py` (adapters merged into weights), `graph.py` (the network
as ONNX), `quantising.py` (its products in 8 bits), `graph_cache.py` (built once), `tokens.py`.
"""
