"""Ops that take functions, by the names of PyTorch's modules."""
