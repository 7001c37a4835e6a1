"""Transformers. Numbers were recorded from PyTorch: the same seed gives weights, masks and all."""

from __future__ import annotations

import pytest

import arraytorch as torch
from arraytorch import nn


def masks():
    hidden = torch.tensor([[False, False, True]] * 3)
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    yield {}
    yield {
        "tgt_mask": causal,
        "src_key_padding_mask": hidden,
        "memory_key_padding_mask": hidden,
    }
    yield {"src_mask": causal, "src_is_causal": True, "memory_mask": torch.ones(3, 3).tril() / 2}


RECORDED = [
    ({},
     [63.15857, 528.43994, 61.66582, 227.21967, 61.5043, 131.81235, 62.91544, 20.08422]),
    ({"batch_first": True},
     [60.06171, 309.483, 60.76711, 286.5004, 60.33792, 214.2038, 62.09843, 21.10116]),
    ({"norm_first": True, "activation": "gelu"},
     [63.38616, 371.79877, 60.86236, 431.43552, 61.14764, 222.584, 61.51954, 20.49273]),
    ({"bias": False, "dropout": 0.0, "activation": torch.tanh},
     [60.05381, 475.91586, 61.94476, 450.01276, 63.02853, 403.56604, 60.05381, 20.90891]),
    ({"activation": nn.ELU(), "dropout": 0.3, "layer_norm_eps": 1e-3},
     [59.83898, 735.28955, 59.13697, 1123.38171, 59.61049, 1440.36853, 63.12564, 20.0103]),
]  # fmt: skip


def trained(options):
    """One number of the output and one of a gradient for each set of masks, then one in evaluation."""
    torch.manual_seed(0)
    model = nn.Transformer(8, 2, 2, 2, 16, **options)
    src, tgt = torch.randn(3, 3, 8), torch.randn(3, 3, 8)
    for arguments in masks():
        torch.manual_seed(1)
        model.zero_grad()
        out = model(src, tgt, **arguments)
        (out * out * torch.arange(8.0)).sum().backward()
        yield out.detach().abs().sum().item()
        yield next(model.parameters()).grad.abs().sum().item()
    model.eval()
    yield model(src, tgt).detach().abs().sum().item()
    sample = [src[0], tgt[0]] if model.batch_first else [src[:, 0], tgt[:, 0]]
    yield model(*sample).detach().abs().sum().item()


@pytest.mark.parametrize(("options", "numbers"), RECORDED)
def test_transformers_train_as_pytorchs_do(options, numbers):
    assert list(trained(options)) == pytest.approx(numbers, rel=2e-5)


def test_keys_and_repr_are_those_of_pytorch():
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 4), 2, norm=nn.LayerNorm(8))
    keys = [
        "self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight",
        "self_attn.out_proj.bias", "linear1.weight", "linear1.bias", "linear2.weight",
        "linear2.bias", "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias",
    ]  # fmt: skip
    stack = [f"layers.{i}.{key}" for i in range(2) for key in keys]
    assert list(model.state_dict()) == [*stack, "norm.weight", "norm.bias"]
    assert (
        repr(model)
        == """TransformerEncoder(
  (layers): ModuleList(
    (0-1): 2 x TransformerEncoderLayer(
      (self_attn): MultiheadAttention(
        (out_proj): NonDynamicallyQuantizableLinear(in_features=8, out_features=8, bias=True)
      )
      (linear1): Linear(in_features=8, out_features=4, bias=True)
      (dropout): Dropout(p=0.1, inplace=False)
      (linear2): Linear(in_features=4, out_features=8, bias=True)
      (norm1): LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)
      (norm2): LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)
      (dropout1): Dropout(p=0.1, inplace=False)
      (dropout2): Dropout(p=0.1, inplace=False)
    )
  )
  (norm): LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)
)"""
    )
    layer = nn.TransformerDecoderLayer(8, 2, 4)
    assert [name for name, _ in layer.named_children()] == [
        "self_attn", "multihead_attn", "linear1", "dropout", "linear2",
        "norm1", "norm2", "norm3", "dropout1", "dropout2", "dropout3",
    ]  # fmt: skip


def test_a_causal_mask_hides_what_comes_later():
    """Whether it is given as booleans, as numbers to add, or found to be causal."""
    torch.manual_seed(0)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 4, dropout=0.0), 2)
    x = torch.randn(4, 2, 8)
    causal = nn.Transformer.generate_square_subsequent_mask(4)
    out = model(x, causal)
    assert torch.allclose(out, model(x, causal == float("-inf")), atol=1e-6)
    assert torch.allclose(out, model(x, causal, is_causal=True), atol=1e-6)
    changed = x.clone()
    changed[3] += 1
    assert torch.allclose(model(changed, causal)[:3], out[:3], atol=1e-6)
    assert not torch.allclose(model(changed, causal)[3], out[3])


def test_layers_are_told_whether_the_mask_is_causal():
    told = []

    class Layer(nn.Module):
        def forward(self, src, src_mask, is_causal, src_key_padding_mask):
            told.append(is_causal)
            return src

    model, x = nn.TransformerEncoder(Layer(), 1), torch.ones(3, 1, 2)
    causal = nn.Transformer.generate_square_subsequent_mask(3)
    for mask, is_causal in ((None, None), (causal, None), (causal.T, None), (causal.T, True)):
        model(x, mask, is_causal=is_causal)
    assert told == [False, True, False, True]


def test_custom_stacks_take_the_places_of_the_usual_ones():
    class Last(nn.Module):
        def forward(self, tgt, memory, **masks):
            return memory

    model = nn.Transformer(8, 2, 1, 1, 4, custom_decoder=Last())
    assert model(torch.ones(2, 1, 8), torch.ones(3, 1, 8)).shape == (2, 1, 8)


def test_what_does_not_fit_is_refused():
    model = nn.Transformer(8, 2, 1, 1, 16)
    with pytest.raises(RuntimeError, match="the batch number of src and tgt must be equal"):
        model(torch.ones(2, 3, 8), torch.ones(2, 4, 8))
    with pytest.raises(RuntimeError, match="the feature number of src and tgt must be equal to"):
        model(torch.ones(2, 3, 7), torch.ones(2, 3, 8))
    with pytest.raises(RuntimeError, match="activation should be relu/gelu, not x"):
        nn.TransformerEncoderLayer(8, 2, activation="x")
    with pytest.raises(AssertionError, match="only bool and floating types of mask are supported"):
        model.encoder(torch.ones(2, 3, 8), torch.ones(2, 2, dtype=torch.int64))
