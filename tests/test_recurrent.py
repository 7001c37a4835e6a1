"""Recurrent modules: weights, results and errors of PyTorch's."""

from __future__ import annotations

import pytest

import arraytorch as torch
from arraytorch import nn

MODULES = (nn.LSTM, nn.GRU, nn.RNN)


def close(got, wanted):
    """Compares with numbers that PyTorch gave."""
    torch.set_printoptions(precision=8)
    assert torch.allclose(got.flatten()[: len(wanted)], torch.tensor(wanted), atol=1e-6), got
    torch.set_printoptions(profile="default")


@pytest.mark.parametrize(
    ("cls", "options", "weight", "out", "last"),
    [
        (nn.LSTM, {"proj_size": 1}, [-0.13183486], [-0.07118745, -0.03627264, -0.09701949],
         [-0.31751424, -0.50958449, 0.24375421]),
        (nn.GRU, {}, [0.16540712, 0.01839341, -0.38848844], [-0.11776502, -0.06086881, 0.02726974],
         [-0.11890346, 0.05020089, 0.29601264]),
        (nn.RNN, {}, [0.2158777, -0.57142389, -0.37452531], [0.97094035, 0.38444421, 0.18679348],
         [-0.39701858, -0.69502068, 0.60085839]),
    ],
)  # fmt: skip
def test_modules_have_pytorchs_weights_dropouts_and_results(cls, options, weight, out, last):
    """After the same seed two layers, both directions and the dropout between agree."""
    torch.manual_seed(0)
    net = cls(2, 3, num_layers=2, bidirectional=True, dropout=0.5, **options)
    result, state = net(torch.ones(2, 1, 2))
    close(net.weight_hh_l1_reverse[0], weight)
    close(result, out)
    close(state[1] if cls is nn.LSTM else state, last)


@pytest.mark.parametrize(
    ("cls", "states"),
    [
        (nn.LSTMCell, [[-0.26929992, -0.12397312, 0.07440351], [-0.4790037, -0.18879063, 0.19644864]]),
        (nn.GRUCell, [[-0.11342888, 0.04670083, 0.23360103]]),
        (nn.RNNCell, [[-0.06453919, -0.72743016, 0.45308754]]),
    ],
)  # fmt: skip
def test_cells_have_pytorchs_weights_and_results(cls, states):
    """So do single steps, of an input without a batch dimension."""
    torch.manual_seed(0)
    result = cls(2, 3)(torch.ones(2))
    for got, wanted in zip(result if cls is nn.LSTMCell else [result], states, strict=True):
        close(got, wanted)


def test_a_packed_sequence_gives_a_packed_sequence():
    """Its states come back in the order that the sequences had before they were packed."""
    torch.manual_seed(0)
    net = nn.GRU(1, 2)
    lists = [torch.ones(1, 1), torch.full((3, 1), 2.0)]
    out, h = net(nn.utils.rnn.pack_sequence(lists, enforce_sorted=False))
    close(out.data, [-0.39064124, 0.49764508, -0.21918598, 0.35568520, -0.55198193, 0.64503121])
    close(h, [-0.21918598, 0.35568520, -0.61723769, 0.68618393])
    assert isinstance(out, nn.utils.rnn.PackedSequence) and out.sorted_indices.tolist() == [1, 0]


@pytest.mark.parametrize("cls", MODULES)
def test_batch_first_and_one_sequence_mean_the_same(cls):
    """(N, L, size), (L, N, size) and each (L, size) give the same numbers."""
    net = cls(2, 3, 2, bidirectional=True)
    x = torch.randn(4, 2, 2)
    plain = net(x)[0]
    net.batch_first = True
    assert torch.allclose(net(x.transpose(0, 1))[0].transpose(0, 1), plain)
    for n in range(2):
        assert torch.allclose(net(x[:, n])[0], plain[:, n], atol=1e-6)


@pytest.mark.parametrize("cls", MODULES)
def test_one_node_for_each_layer_and_direction(cls):
    """A longer sequence is no longer on the tape."""
    net = cls(2, 3)
    out, _ = net(torch.randn(50, 2, 2))
    node = out.grad_fn.next_functions[0][0]
    assert "RecurrenceBackward0" in (out.grad_fn.name(), node.name())
    seen, stack = set(), [out.grad_fn]
    while stack:
        one = stack.pop()
        seen.add(one)
        stack += [n for n, _ in getattr(one, "next_functions", ()) if n is not None]
    assert len(seen) < 10


@pytest.mark.parametrize("cls", MODULES)
def test_a_sequence_is_steps_of_cells(cls):
    """Unrolled by hand, with the same weights, gradients agree too."""
    net = cls(2, 3)
    cell = {nn.LSTM: nn.LSTMCell, nn.GRU: nn.GRUCell, nn.RNN: nn.RNNCell}[cls](2, 3)
    cell.load_state_dict({name[:-3]: value for name, value in net.state_dict().items()})
    x = torch.randn(5, 2, 2)
    out, _ = net(x)
    state, steps = None, []
    for row in x:
        state = cell(row, state)
        steps.append(state[0] if cls is nn.LSTM else state)
    assert torch.allclose(torch.stack(steps), out, atol=1e-6)
    (out * x.sum()).sum().backward()
    (torch.stack(steps) * x.sum()).sum().backward()
    for (_, a), (_, b) in zip(net.named_parameters(), cell.named_parameters(), strict=True):
        assert torch.allclose(a.grad, b.grad, atol=1e-4)


def test_hooks_of_tensors_run_once_in_second_derivatives():
    """The walk that is repeated for create_graph sees aliases, not the tensors themselves."""
    x = torch.randn(2, 1, 1, requires_grad=True)
    calls = []
    x.register_hook(lambda g: calls.append(1))
    out, _ = nn.GRU(1, 2)(x)
    (g,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    assert calls == [1] and g.requires_grad


REFUSED = [
    (lambda: nn.LSTM(4, 6)(torch.zeros(4)), ValueError,
     "LSTM: Expected input to be 2D or 3D, got 1D instead"),
    (lambda: nn.RNN(4, 6)(torch.zeros(4)), ValueError,
     "RNN: Expected input to be 2D or 3D, got 1D tensor instead"),
    (lambda: nn.GRU(4, 6)(torch.zeros(5, 3, 3)), RuntimeError,
     "input.size(-1) must be equal to input_size. Expected 4, got 3"),
    (lambda: nn.GRU(4, 6)(torch.zeros(5, 3, 4), torch.zeros(1, 2, 6)), RuntimeError,
     "Expected hidden size (1, 3, 6), got [1, 2, 6]"),
    (lambda: nn.GRU(4, 6)(torch.zeros(5, 3, 4), torch.zeros(3, 6)), RuntimeError,
     "For batched 3-D input, hx should also be 3-D but got 2-D tensor"),
    (lambda: nn.LSTM(4, 6)(torch.zeros(5, 4), (torch.zeros(1, 3, 6),) * 2), RuntimeError,
     "For unbatched 2-D input, hx and cx should also be 2-D but got (3-D, 3-D) tensors"),
    (lambda: nn.LSTM(4, 6, proj_size=2)(torch.zeros(5, 3, 4), (torch.zeros(1, 3, 2),) * 2),
     RuntimeError, "Expected hidden[1] size (1, 3, 6), got [1, 3, 2]"),
    (lambda: nn.GRU(4, 6)(torch.zeros(5, 3, 4).double()), ValueError,
     "RNN input dtype (torch.float64) does not match weight dtype (torch.float32)."),
    (lambda: nn.GRU(4, 6)(torch.zeros(0, 3, 4)), RuntimeError,
     "Expected sequence length to be larger than 0 in RNN"),
    (lambda: nn.LSTM(3, 4, dropout=2), ValueError, "dropout should be a number in range [0, 1]"),
    (lambda: nn.LSTM(3, 4, bias=1), TypeError, "bias should be of type bool, got: int"),
    (lambda: nn.LSTM(3, 4, num_layers=0), ValueError, "num_layers must be greater than zero"),
    (lambda: nn.LSTM(3, 4, proj_size=4), ValueError, "proj_size has to be smaller than hidden_size"),
    (lambda: nn.GRU(3, 4, proj_size=2), ValueError, "proj_size argument is only supported for LSTM"),
    (lambda: nn.RNN(3, 4, nonlinearity="x"), ValueError, "Unknown nonlinearity 'x'."),
    (lambda: nn.RNNBase("X", 3, 4), ValueError, "Unrecognized RNN mode: X"),
    (lambda: nn.GRUCell(3, 4)(torch.zeros(1, 1, 3)), ValueError,
     "GRUCell: Expected input to be 1D or 2D, got 3D instead"),
    (lambda: nn.LSTMCell(3, 4)(torch.zeros(2, 3), (torch.zeros(1, 2, 4),) * 2), ValueError,
     "LSTMCell: Expected hx[0] to be 1D or 2D, got 3D instead"),
    (lambda: nn.RNNCell(3, 4)(torch.zeros(2, 3), torch.zeros(3, 4)), RuntimeError,
     "Input batch size 2 doesn't match hidden0 batch size 3"),
    (lambda: nn.RNNCell(3, 4)(torch.zeros(2, 2)), RuntimeError,
     "input has inconsistent input_size: got 2 expected 3"),
    (lambda: walked(hx=(STATE,)), RuntimeError, "lstm expects two hidden states"),
    (lambda: walked(hx=STATE), TypeError, "lstm() received an invalid combination of arguments"),
    (lambda: walked(params=WEIGHTS[:3]), RuntimeError, "got an incorrect number of RNN parameters"),
    (lambda: walked(params=WEIGHTS * 2), RuntimeError, "Expected more weights in stacked_rnn"),
    (lambda: walked(layers=2), RuntimeError, "Expected more hidden states in stacked_rnn"),
    (lambda: walked(x=torch.zeros(5, 3, 4).double()), RuntimeError,
     "mat1 and mat2 must have the same dtype, but got Double and Float"),
    (lambda: walked(x=torch.zeros(5, 3, 3)), RuntimeError,
     "mat1 and mat2 shapes cannot be multiplied (15x3 and 4x24)"),
    (lambda: torch.gru(torch.zeros(3, 1), torch.tensor([1, 2]), torch.zeros(1, 1, 2), [], False, 1,
                       0.0, False, False), RuntimeError, "must not grow"),
    (lambda: torch.gru(torch.zeros(3, 1), torch.tensor([2, 2]), torch.zeros(1, 1, 2), [], False, 1,
                       0.0, False, False), RuntimeError, "start (2) + length (2) exceeds dimension size (3)"),
    (lambda: torch.lstm_cell(torch.zeros(3, 4), STATE[0], *WEIGHTS), TypeError,
     "lstm_cell(): argument 'hx' (position 2) must be tuple of Tensors, not Tensor"),
]  # fmt: skip
STATE = torch.zeros(1, 3, 6)
WEIGHTS = [torch.zeros(24, 4), torch.zeros(24, 6), torch.zeros(24), torch.zeros(24)]


def walked(x=None, hx=(STATE, STATE), params=WEIGHTS, layers=1):
    """Calls torch.lstm with what is right but for one thing."""
    x = torch.zeros(5, 3, 4) if x is None else x
    return torch.lstm(x, hx, params, True, layers, 0.0, False, False, False)


@pytest.mark.parametrize("which", range(len(REFUSED)))
def test_bad_input_raises_what_pytorch_raises(which):
    """Classes and words are PyTorch's; that sizes of packed batches grow is said in our own."""
    call, error, words = REFUSED[which]
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)


def test_dropout_of_a_single_layer_warns():
    """It would have no place to act."""
    with pytest.warns(UserWarning, match="non-zero dropout expects num_layers greater than 1"):
        nn.GRU(3, 4, dropout=0.5)


def test_modules_print_what_is_not_usual():
    """As in PyTorch."""
    shown = (
        "LSTM(4, 6, proj_size=2, num_layers=2, bias=False, batch_first=True, bidirectional=True)"
    )
    assert repr(nn.LSTM(4, 6, 2, False, True, bidirectional=True, proj_size=2)) == shown
    assert repr(nn.RNNCell(4, 6, nonlinearity="relu")) == "RNNCell(4, 6, nonlinearity=relu)"
    assert repr(nn.RNN(3, 4, 1, "relu")) == "RNN(3, 4)"


def test_complex_sequences_are_walked_too():
    """By plain operations; PyTorch takes them as well."""
    x = torch.randn(3, 1, 1, dtype=torch.complex64)
    w = [torch.ones(1, 1, dtype=torch.complex64)] * 2
    h = torch.zeros(1, 1, 1, dtype=torch.complex64)
    out, _ = torch.rnn_tanh(x, h, w, False, 1, 0.0, False, False, False)
    assert torch.allclose(out[1], torch.tanh(x[1] + torch.tanh(x[0])))
