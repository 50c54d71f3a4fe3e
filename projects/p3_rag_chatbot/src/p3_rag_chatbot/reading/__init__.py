"""The reader as it serves: MiniLM with its adapter merged, in ONNX Runtime. No torch."""
