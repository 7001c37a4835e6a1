"""Kinds of tensors that PyTorch's compiler works with, and libraries ask about: there are none here."""
