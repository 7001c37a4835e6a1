"""Graphs whose tensors change between the forward and the backward pass, and modes within modes."""

from __future__ import annotations

import pytest

import arraytorch as torch


def test_gathered_gradients_follow_a_write():
    """After an in-place write a tensor that retains its gradient gathers that of its new value."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    (y * y).sum().backward()
    assert y.grad.tolist() == [12.0, 24.0] and x.grad.tolist() == [72.0, 144.0]
    y = x * 2
    y.retain_grad()
    y[0] = 5.0
    y.unsqueeze_(0)
    (y * y).sum().backward()
    assert y.grad.tolist() == [[10.0, 8.0]]


def test_leaves_that_need_no_gradient_any_more_get_none():
    """Whether a leaf gathers is asked at backward, not when it was used."""
    x, w = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    y = (x * w).sum()
    x.requires_grad_(False)
    y.backward()
    assert x.grad is None and w.grad.tolist() == [1.0, 1.0]


def test_a_factor_that_no_gradient_reads_may_be_written():
    """A product with a constant keeps the constant alone."""
    w = torch.ones(3, 2, requires_grad=True)
    for constant, take in [
        (torch.full((4, 3), 2.0), lambda h: h),
        (torch.full((3,), 2.0), lambda h: h),
        (torch.full((4, 3), 2.0), lambda h: h[:, 0]),
        (torch.full((3,), 2.0), lambda h: h[:, 0]),
    ]:
        hidden = w * 1
        y = constant @ take(hidden)
        hidden.mul_(3)
        w.grad = None
        y.sum().backward()
        rows = 4 if constant.ndim == 2 else 1
        columns = 2 if take(hidden).ndim == 2 else 1
        assert w.grad.sum().item() == 2.0 * rows * 3 * columns
        hidden = w * 1
        y = take(hidden).T @ constant.T
        hidden.mul_(3)
        w.grad = None
        y.sum().backward()
        assert w.grad.sum().item() == 2.0 * rows * 3 * columns


def test_hooks_may_not_change_the_dtype():
    """As they may not change the shape."""
    x = torch.ones(2, requires_grad=True)
    x.register_hook(lambda g: g.double())
    with pytest.raises(RuntimeError, match="hook has changed the type of value"):
        (x * 2).sum().backward()


def test_grad_can_be_deleted():
    """``del x.grad`` is ``x.grad = None``."""
    x = torch.ones(1, requires_grad=True)
    (x * 2).sum().backward()
    del x.grad
    assert x.grad is None


def test_leaving_inference_mode_records():
    """``inference_mode(False)`` records, under ``no_grad`` too."""
    with torch.inference_mode():
        with torch.inference_mode(False):
            assert torch.is_grad_enabled()
        assert not torch.is_grad_enabled()
    with torch.no_grad(), torch.inference_mode(False):
        assert torch.is_grad_enabled()
