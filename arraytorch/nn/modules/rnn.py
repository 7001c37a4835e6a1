"""Recurrent layers: RNN, LSTM, GRU, and single steps of them."""

from __future__ import annotations

import math
import warnings
from numbers import Number
from typing import Any

from ..._tensor import Tensor
from ...autograd.modes import autocast_dtypes
from ...ops import index_select, squeeze, unsqueeze, zeros
from ...ops.creation import empty
from ...ops.recurrent import (
    gru,
    gru_cell,
    lstm,
    lstm_cell,
    rnn_relu,
    rnn_relu_cell,
    rnn_tanh,
    rnn_tanh_cell,
)
from .. import init
from ..parameter import Parameter
from ..utils.rnn import PackedSequence
from .module import Module

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
_RUN = {"GRU": gru, "RNN_TANH": rnn_tanh, "RNN_RELU": rnn_relu}


class RNNBase(Module):
    """What `RNN`, `LSTM` and `GRU` have in common: parameters, and checks of what they are given.

    ``mode`` is LSTM, GRU, RNN_TANH or RNN_RELU. The parameters of layer k are ``weight_ih_lk``,
    ``weight_hh_lk``, ``bias_ih_lk``, ``bias_hh_lk`` and, of an LSTM with projections,
    ``weight_hr_lk``; those of the other direction end in ``_reverse``. All start uniform between
    plus and minus 1 / sqrt(hidden_size).

    >>> [name for name, _ in torch.nn.RNNBase("GRU", 2, 3, bias=False).named_parameters()]
    ['weight_ih_l0', 'weight_hh_l0']
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check_dropout(dropout, num_layers)
        for name, value, wanted in (
            ("bias", bias, bool), ("batch_first", batch_first, bool),
            ("input_size", input_size, int), ("hidden_size", hidden_size, int),
        ):  # fmt: skip
            if not isinstance(value, wanted):
                raise TypeError(
                    f"{name} should be of type {wanted.__name__}, got: {type(value).__name__}"
                )
        sizes = (
            ("input_size", input_size),
            ("hidden_size", hidden_size),
            ("num_layers", num_layers),
        )
        for name, value in sizes:
            if value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if proj_size < 0:
            raise ValueError(
                "proj_size should be a positive integer or zero to disable projections"
            )
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights = [
            self._add_weights(layer, suffix, device, dtype)
            for layer in range(num_layers)
            for suffix in (("", "_reverse") if bidirectional else ("",))
        ]
        self.reset_parameters()

    def _add_weights(self, layer: int, suffix: str, device: Any, dtype: Any) -> list[str]:
        """Makes the parameters of one layer and direction; returns their names."""
        rows, state = _GATES[self.mode] * self.hidden_size, self.proj_size or self.hidden_size
        below = self.input_size if layer == 0 else state * (1 + self.bidirectional)
        shapes: dict[str, Any] = {"weight_ih": (rows, below), "weight_hh": (rows, state)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        names = []
        for kind, shape in shapes.items():
            names.append(f"{kind}_l{layer}{suffix}")
            setattr(self, names[-1], Parameter(empty(shape, device=device, dtype=dtype)))
        return names

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters, a list for each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def reset_parameters(self) -> None:
        """Draws the starting values."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: no library here wants the parameters in one piece of memory."""

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """Raises unless the input has the dtype of the weights and the layer's size."""
        weight = getattr(self, self._all_weights[0][0])
        if input.dtype is not weight.dtype and not autocast_dtypes.get():
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({weight.dtype}). "
                f"Convert input: input.to({weight.dtype}), or convert model: model.to({input.dtype})"
            )
        ndim = 3 if batch_sizes is None else 2
        if input.dim() != ndim:
            raise RuntimeError(f"input must have {ndim} dimensions, got {input.dim()}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {input.size(-1)}"
            )

    def get_expected_hidden_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """Returns the shape that h has to have."""
        return self._expected(input, batch_sizes, self.proj_size or self.hidden_size)

    def _expected(self, input: Tensor, batch_sizes: Any, size: int) -> tuple[int, int, int]:
        if batch_sizes is None:
            batch = input.size(0 if self.batch_first else 1)
        else:
            batch = int(batch_sizes[0])
        return self.num_layers * (1 + self.bidirectional), batch, size

    def check_hidden_size(
        self,
        hx: Tensor,
        expected_hidden_size: tuple[int, int, int],
        msg: str = "Expected hidden size {}, got {}",
    ) -> None:
        """Raises RuntimeError unless the state has the expected shape."""
        if tuple(hx.size()) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.size())))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """Raises unless input and state are such as `forward` can use."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """Returns the state with the sequences in another order."""
        return hx if permutation is None else index_select(hx, 1, permutation)

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        for name, usual in (
            ("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False),
            ("dropout", 0), ("bidirectional", False),
        ):  # fmt: skip
            if (value := getattr(self, name)) != usual:
                parts.append(f"{name}={value}")
        return ", ".join(parts)

    # The state is a tensor, or of an LSTM a pair of them; these see it as a tuple.

    def _walk(self, input: Any, hx: Any) -> tuple[Any, tuple[Any, ...]]:
        """Runs all layers over an input of any form; returns the output and the last states."""
        if isinstance(input, PackedSequence):
            data, sizes, order, back = input
            states = self._prepared(data, sizes, hx, order)
            out, *last = self._run(data, sizes, states)
            last = [self.permute_hidden(s, back) for s in last]
            return PackedSequence(out, sizes, order, back), tuple(last)
        if input.dim() not in (2, 3):
            kind = type(self).__name__
            raise ValueError(
                f"{kind}: Expected input to be 2D or 3D, got {input.dim()}D "
                f"{'tensor ' if kind == 'RNN' else ''}instead"
            )
        batched = input.dim() == 3
        if hx is not None:
            self._check_dims(hx, batched)
        along = 0 if self.batch_first else 1
        if not batched:
            input = unsqueeze(input, along)
            hx = None if hx is None else self._each(hx, lambda s: unsqueeze(s, 1))
        out, *last = self._run(input, None, self._prepared(input, None, hx, None))
        if not batched:
            out, last = squeeze(out, along), [squeeze(s, 1) for s in last]
        return out, tuple(last)

    def _each(self, hx: Any, change: Any) -> Any:
        return change(hx)

    def _check_dims(self, hx: Any, batched: bool) -> None:
        if hx.dim() != 2 + batched:
            raise RuntimeError(
                f"For {'batched 3' if batched else 'unbatched 2'}-D input, hx should also be "
                f"{2 + batched}-D but got {hx.dim()}-D tensor"
            )

    def _zeros(self, input: Tensor, sizes: Any) -> Any:
        shape = self.get_expected_hidden_size(input, sizes)
        return zeros(shape, dtype=input.dtype, device=input.device)

    def _prepared(self, input: Tensor, sizes: Any, hx: Any, order: Any) -> Any:
        self.check_input(input, sizes)
        hx = self._zeros(input, sizes) if hx is None else self.permute_hidden(hx, order)
        self.check_forward_args(input, hx, sizes)
        return hx

    def _run(self, input: Tensor, sizes: Any, hx: Any) -> tuple[Any, ...]:
        flat = [w for weights in self.all_weights for w in weights]
        rest = (hx, flat, self.bias, self.num_layers, self.dropout, self.training,
                self.bidirectional)  # fmt: skip
        run = _RUN.get(self.mode, lstm)
        return run(input, *rest, self.batch_first) if sizes is None else run(input, sizes, *rest)


def _check_dropout(dropout: Any, num_layers: int) -> None:
    if not isinstance(dropout, Number) or isinstance(dropout, bool) or not 0 <= dropout <= 1:  # type: ignore[operator]
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element "
            "being zeroed"
        )
    if dropout and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}",
            stacklevel=4,
        )


class RNN(RNNBase):
    """Layers h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu with ``nonlinearity="relu"``.

    Takes ``input_size, hidden_size, num_layers=1, nonlinearity="tanh", bias=True,
    batch_first=False, dropout=0.0, bidirectional=False, device=None, dtype=None``. Called with the
    input (L, N, input_size), or (N, L, input_size) if ``batch_first``, or (L, input_size), or a
    `PackedSequence`, and the first state (layers * directions, N, hidden_size), zeros unless given;
    returns the states of the last layer at all steps, and the last states of all layers.

    >>> out, h = torch.nn.RNN(10, 20, 2)(torch.ones(5, 3, 10))
    >>> out.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(f"RNN_{self.nonlinearity.upper()}", *args, **kwargs)

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        out, (h,) = self._walk(input, hx)
        return out, h


class GRU(RNNBase):
    """Layers of gated recurrent units (Cho et al. 2014).

    h' = (1 - z) n + z h with gates r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh), and
    n = tanh(W_ih x + b_ih + r (W_hh h + b_hh)). Arguments are those of `RNN` but ``nonlinearity``;
    called like it.

    >>> out, h = torch.nn.GRU(10, 20, batch_first=True)(torch.ones(3, 5, 10))
    >>> out.shape, h.shape
    (torch.Size([3, 5, 20]), torch.Size([1, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input: Any, hx: Tensor | None = None) -> tuple[Any, Tensor]:
        out, (h,) = self._walk(input, hx)
        return out, h


def _no_projection(kwargs: dict[str, Any]) -> None:
    if "proj_size" in kwargs:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class LSTM(RNNBase):
    """Layers of long short-term memory (Hochreiter & Schmidhuber 1997).

    c' = f c + i g and h' = o tanh(c'), with i, f, o sigmoids and g a tanh of
    W_ih x + b_ih + W_hh h + b_hh; with ``proj_size``, h' is then W_hr h'. Arguments are those of
    `GRU` and ``proj_size``; called like it, with a pair (h, c) as the state.

    >>> out, (h, c) = torch.nn.LSTM(10, 20, proj_size=5)(torch.ones(4, 3, 10))
    >>> out.shape, h.shape, c.shape
    (torch.Size([4, 3, 5]), torch.Size([1, 3, 5]), torch.Size([1, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(
        self, input: Tensor, batch_sizes: Tensor | None
    ) -> tuple[int, int, int]:
        """Returns the shape that c has to have."""
        return self._expected(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        self.check_input(input, batch_sizes)
        expected = self.get_expected_hidden_size(input, batch_sizes)
        self.check_hidden_size(hidden[0], expected, "Expected hidden[0] size {}, got {}")
        expected = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(hidden[1], expected, "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        if isinstance(hx, Tensor):
            return super().permute_hidden(hx, permutation)
        return self._each(hx, lambda s: super(LSTM, self).permute_hidden(s, permutation))

    def _each(self, hx: Any, change: Any) -> Any:
        return tuple([change(s) for s in hx])

    def _check_dims(self, hx: Any, batched: bool) -> None:
        if hx[0].dim() != 2 + batched or hx[1].dim() != 2 + batched:
            raise RuntimeError(
                f"For {'batched 3' if batched else 'unbatched 2'}-D input, hx and cx should also be "
                f"{2 + batched}-D but got ({hx[0].dim()}-D, {hx[1].dim()}-D) tensors"
            )

    def _zeros(self, input: Tensor, sizes: Any) -> Any:
        cell = self.get_expected_cell_size(input, sizes)
        return super()._zeros(input, sizes), zeros(cell, dtype=input.dtype, device=input.device)

    def forward(
        self, input: Any, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        out, (h, c) = self._walk(input, hx)
        return out, (h, c)


# ----------------------------------------------------------------------------------------- cells


class RNNCellBase(Module):
    """What the cells have in common: ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``.

    There are ``num_chunks`` gates. All parameters start uniform between plus and minus
    1 / sqrt(hidden_size).

    >>> torch.nn.RNNCellBase(2, 3, True, 4).weight_ih.shape
    torch.Size([12, 2])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        for name, shape in shapes.items():
            setattr(self, name, Parameter(empty(shape, device=device, dtype=dtype)))
        for name in ("bias_ih", "bias_hh"):
            made = Parameter(empty(rows, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the starting values."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return shown if nonlinearity == "tanh" else f"{shown}, nonlinearity={nonlinearity}"

    def _stepped(
        self, step: Any, input: Tensor, *states: Any, labels: tuple[str, ...]
    ) -> list[Any]:
        """Takes a step with one sequence or a batch of them; returns the states, as given."""
        kind = type(self).__name__
        for label, t in zip(("input", *labels), (input, *states), strict=True):
            if t is not None and t.dim() not in (1, 2):
                raise ValueError(f"{kind}: Expected {label} to be 1D or 2D, got {t.dim()}D instead")
        batched = input.dim() == 2
        x = input if batched else unsqueeze(input, 0)
        shape = x.size(0), self.hidden_size
        states = tuple(
            zeros(shape, dtype=x.dtype, device=x.device) if s is None
            else s if batched else unsqueeze(s, 0)
            for s in states
        )  # fmt: skip
        hx = states if len(states) > 1 else states[0]
        new = step(x, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        new = new if isinstance(new, tuple) else (new,)
        return [s if batched else squeeze(s, 0) for s in new]


class RNNCell(RNNCellBase):
    """One step of `RNN`: from the input (N, input_size) and h (N, hidden_size) to the next h.

    Both may come without N, and h may be left out, which means zeros.

    >>> torch.nn.RNNCell(10, 20)(torch.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        step = {"tanh": rnn_tanh_cell, "relu": rnn_relu_cell}.get(self.nonlinearity)
        if step is None:
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._stepped(step, input, hx, labels=("hidden",))[0]


class GRUCell(RNNCellBase):
    """One step of `GRU`; called like `RNNCell`.

    >>> torch.nn.GRUCell(10, 20)(torch.ones(3, 10)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return self._stepped(gru_cell, input, hx, labels=("hidden",))[0]


class LSTMCell(RNNCellBase):
    """One step of `LSTM`; called like `RNNCell`, but takes and returns pairs (h, c).

    >>> h, c = torch.nn.LSTMCell(10, 20)(torch.ones(3, 10))
    >>> h.shape, c.shape
    (torch.Size([3, 20]), torch.Size([3, 20]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        h, c = (None, None) if hx is None else hx
        h, c = self._stepped(lstm_cell, input, h, c, labels=("hx[0]", "hx[1]"))
        return h, c
