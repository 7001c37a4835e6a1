"""What `arraytorch.cuda`, `arraytorch.xpu` and `arraytorch.accelerator` share.

Each topic is a class over the type of device; its bound methods are the public functions.
"""
