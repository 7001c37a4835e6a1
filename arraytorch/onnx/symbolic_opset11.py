"""How PyTorch's own operations are written in version 11 of ONNX: none are, as nothing is exported."""
