"""Times some hundred calls on small tensors, arraytorch's beside real PyTorch's, in one process.

python benchmarks/latency.py [--match REGEX] [--rounds 40] [--above 0.0] [--json FILE]

Where `compare.py` measures few workloads carefully, this finds out quickly which calls cost more
Python than they should: the least time of many short rounds, in turn, on one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import arraytorch

# What the calls work with, for either module M.
SETTING = """
F, nn = M.nn.functional, M.nn
v, w = M.tensor(A[0]), M.tensor(A[1])
x, y, z = (M.tensor(A[4 * i : 4 * i + 4]) for i in range(3))
cube, one = M.tensor(A[:6].reshape(2, 3, 4)), M.tensor(A[:1])
k, mask = M.tensor([3, 1, 2, 0]), v > 0
s, nought = M.tensor(2.0), M.zeros(4)
vg, xg = M.tensor(A[0], requires_grad=True), M.tensor(A[:4], requires_grad=True)
bg = M.tensor(A[9], requires_grad=True)
image = M.tensor(A[:4].reshape(1, 1, 4, 4))
linear, norm, batchnorm = nn.Linear(4, 4), nn.LayerNorm(4), nn.BatchNorm1d(4).eval()
relu, mlp = nn.ReLU(), nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
drop, embed, criterion = nn.Dropout(0.0).eval(), nn.Embedding(8, 4), nn.CrossEntropyLoss()
table = M.tensor(A[:8])
grads = [M.tensor(A[0], requires_grad=True) for _ in range(4)]
for p in grads:
    p.grad = M.ones(4)
sgd, adam = M.optim.SGD(grads, 1e-9), M.optim.Adam(grads, 1e-9)
momentum = M.optim.SGD(grads, 1e-9, momentum=0.9)
array, numbers = A[0].copy(), [1.0, 2.0, 3.0]
from copy import copy, deepcopy
grid, scores = M.zeros(1, 2, 2, 2), M.tensor(A[:2].reshape(1, 4, 2))
block, attend = nn.TransformerEncoderLayer(4, 2, 8).eval(), nn.MultiheadAttention(4, 2)
conv, gru, lstm = nn.Conv2d(1, 1, 3), nn.GRU(4, 4), nn.LSTM(4, 4)
training = nn.BatchNorm1d(4)
steps = [
    getattr(M.optim, name)(mlp.parameters(), 1e-9) for name in ("SGD", "Adam", "AdamW", "RMSprop")
]
def train(optimizer):
    optimizer.zero_grad()
    F.cross_entropy(mlp(x), k).backward()
    optimizer.step()
def no_grad():
    with M.no_grad():
        pass
def backward(out):
    xg.grad = vg.grad = bg.grad = None
    out.backward()
cleared = M.optim.SGD([M.tensor(A[0], requires_grad=True)], 1e-9)
def zero_grad():
    cleared.param_groups[0]["params"][0].grad = v
    cleared.zero_grad()
"""

CALLS = """
v + w; v * w; v - w; v / w; v + 1; v * 2.5; 1 - v; 2 / v; -v; v ** 2; v + s; v % w; v // w
vg + w; vg * bg; vg * 2.5; xg + bg
v == w; v > w; v > 0; v != 0; k == k; mask & mask; ~mask
x @ y; x @ v; v @ w; M.mm(x, y); M.matmul(x, y); cube @ x; M.bmm(cube, cube.mT); F.linear(x, y); xg @ y
F.linear(x, y, v); M.addmm(v, x, y); M.einsum("ij,jk->ik", x, y); M.outer(v, w); M.dot(v, w)
M.exp(v); v.exp(); v.sin(); v.tanh(); v.sqrt(); v.abs(); v.log(); v.sigmoid(); v.neg(); v.square(); v.round()
F.relu(v); v.relu(); M.relu(v); F.gelu(v); F.silu(v); F.leaky_relu(v); F.elu(v); F.softplus(v); F.hardtanh(v); F.relu(vg)
F.gelu(vg); F.hardswish(v); F.selu(v); F.relu6(v); F.logsigmoid(v); F.mish(v); F.hardsigmoid(v)
v.sum(); x.sum(); x.sum(1); x.sum(-1, keepdim=True); x.sum(dim=0); k.sum(); vg.sum(); xg.sum(1); mask.sum()
v.mean(); x.mean(); x.mean(1); xg.mean(); x.mean(-1, keepdim=True); x.prod(1); v.prod()
v.max(); x.max(1); x.amax(1); x.argmax(1); v.argmax(); v.min(); x.argmin(-1); x.amin(); M.maximum(v, w)
x.var(); x.var(1); x.std(); x.std(1); x.norm(); x.norm(dim=1); M.linalg.norm(x); x.logsumexp(1); x.cumsum(1)
mask.any(); mask.all(); x.any(1); v.isnan(); v.isfinite(); M.equal(v, w); M.allclose(v, v)
x[0]; x[-1]; x[0, 1]; x[1:3]; x[1:3, 0]; x[:, 0]; x[:, 1:]; x[None]; x[..., 0]; x[..., None]; x[:, None]; xg[0]; xg[1:3]
x[k]; v[mask]; x[k, k]; x[[0, 1]]; v[0]; k[0]; x[:, k]; cube[0, :, 1]; cube[:, -1]
x.view(2, 8); x.view(-1); x.view((2, 8)); x.view(8, -1); xg.view(2, 8); x.reshape(2, 8); x.reshape(-1); x.reshape((16,))
x.t(); x.T; x.mT; x.transpose(0, 1); cube.transpose(1, 2); cube.permute(2, 0, 1); cube.permute((2, 0, 1)); xg.t()
v.unsqueeze(0); v.unsqueeze(-1); one.squeeze(0); one.squeeze(); cube.flatten(1); x.flatten(); M.flatten(x); x.unflatten(0, (2, 2))
v.expand(4, 4); one.expand(4, -1); v.expand_as(x); x.select(0, 1); x.narrow(0, 1, 2); x.split(2); x.chunk(2); x.unbind(0)
x.contiguous(); x.t().contiguous(); x.clone(); x.detach(); xg.detach(); x.to(M.float32); x.to(M.float64); x.double(); x.float(); x.to("cpu")
k.float(); v.long(); x.type_as(y); x.cpu(); v.repeat(2); v.repeat_interleave(2); x.flip(0); x.roll(1, 0)
v.clone().add_(w); nought.add_(w); nought.mul_(0.5); nought.copy_(w); nought.zero_(); nought.fill_(1.0); nought.add_(w, alpha=0.1); nought.sub_(0.5)
nought.clamp_(-1, 1); nought.div_(2.0); nought.relu_(); nought.__setitem__(0, 1.0); nought.__setitem__(slice(1, 3), 0.0); x.masked_fill_(mask, 0.0)
nought.lerp_(w, 0.5); nought.addcmul_(v, w); nought.addcdiv_(v, w)
v + k; k / 2; mask * v; k.float() * v; v > k; k < 2; k.clamp(0, 2); (v > 0) & (v < 1); (v > 0).sum(); M.count_nonzero(v)
x.permute(1, 0); x.reshape(4, 2, 2); v.unsqueeze(1); x[::2]; x[:-1]; x[1:, :-1]; cube[1, 2, 3]; x[x > 0.5]; xg[k]; xg[:, 1]; mask.float(); k.double()
x[0].add_(1.0); x[1:].zero_(); x[0].copy_(v); x.view(-1).fill_(0.5); nought.sub_(w); nought.sqrt_(); nought.tanh_(); nought.uniform_(); nought.scatter_add_(0, k, w)
x.__setitem__(0, v); x.__setitem__(k, y); x.__setitem__(mask, 0.0); x.mean((0, 1)); cube.sum((0, 2)); cube.var((1, 2)); M.isin(k, k); M.searchsorted(v.sort()[0], w)
backward(M.stack([vg, bg]).sum()); backward(xg[k].sum()); backward(xg.permute(1, 0).sum()); backward(M.where(mask, vg, bg).sum()); backward(xg.max(1)[0].sum())
M.add(v, w); M.add(v, w, alpha=2); M.mul(v, w); M.sub(v, w); M.div(v, w); M.div(v, w, rounding_mode="floor")
s.item(); v[0].item(); float(s); v.tolist(); v.shape; v.size(); v.size(0); v.dim(); v.dtype; v.device; v.numel(); v.requires_grad
len(v); v.ndim; v.is_contiguous(); v.numpy(); bool(s > 0); v.stride(); v.data; v.shape[0]; x.shape == y.shape; v.is_floating_point()
M.tensor(1.0); M.tensor(numbers); M.tensor(3); M.zeros(4); M.ones(2, 3); M.empty(4); M.arange(4); M.full((2, 2), 1.0); M.zeros_like(x)
M.ones_like(x); M.empty_like(x); M.from_numpy(array); M.as_tensor(array); M.eye(3); M.linspace(0, 1, 4); M.tensor(array); M.randn(4); M.rand(4)
M.zeros((2, 2)); M.zeros(4, dtype=M.int64); M.arange(0, 4, dtype=M.float32); M.randint(0, 5, (4,)); M.randperm(4); M.rand_like(v); v.new_zeros(4)
M.cat([v, w]); M.cat((x, y), 1); M.stack([v, w]); M.stack((v, w), dim=1); M.cat([vg, w]); M.hstack((v, w)); M.vstack((v, w))
M.where(mask, v, w); M.where(mask, v, 0.0); x.masked_fill(mask, 0.0); x.gather(1, k[None]); x.index_select(0, k); M.take_along_dim(x, k[None], 1)
x.scatter_add(0, k[None], y); M.clamp(v, 0, 1); v.clamp(min=0); v.clamp_min(0.0); M.clamp(v, max=1.0); M.lerp(v, w, 0.5); M.addcmul(v, v, w); M.pow(v, 2); M.pow(v, 3.0); M.pow(v, w)
M.sort(v); v.argsort(); v.topk(2); M.unique(k); v.nonzero(); M.tril(x); M.triu(x); M.diag(v); x.diagonal(); x.trace(); M.bincount(k)
F.softmax(x, 1); x.softmax(-1); F.log_softmax(x, 1); F.softmax(xg, 1); M.softmax(x, dim=1)
F.cross_entropy(x, k); F.mse_loss(v, w); F.nll_loss(x, k); F.cross_entropy(xg, k); F.l1_loss(v, w); F.smooth_l1_loss(v, w)
F.binary_cross_entropy_with_logits(v, w); F.mse_loss(vg, w); F.binary_cross_entropy(mask.float(), mask.float()); F.kl_div(v, w, reduction="sum")
F.layer_norm(x, (4,)); F.layer_norm(x, (4,), v, w); F.layer_norm(xg, (4,), v, w); F.batch_norm(x, v, v.abs()); F.normalize(x); F.dropout(x, 0.5)
F.one_hot(k); F.embedding(k, table); F.pad(x, (1, 1)); F.conv2d(image, image); F.max_pool2d(image, 2); F.avg_pool2d(image, 2); F.rms_norm(x, (4,))
F.scaled_dot_product_attention(cube, cube, cube); F.cosine_similarity(x, y); M.cdist(x, y); F.adaptive_avg_pool2d(image, 1); F.group_norm(image, 1); F.interpolate(image, 8)
relu(v); linear(x); mlp(x); norm(x); drop(x); embed(k); criterion(x, k); batchnorm(x); linear.weight; mlp[0]; list(mlp.parameters()); mlp.train(); mlp.zero_grad()
no_grad(); M.is_tensor(v); M.is_grad_enabled(); M.get_default_dtype(); M.manual_seed(0); isinstance(v, M.Tensor)
backward(vg.sum()); backward((vg * w).sum()); backward((vg * vg).mean()); backward(xg.view(-1).sum()); backward((xg @ y).sum()); backward((xg @ xg).relu().sum())
backward(F.mse_loss(vg, w)); backward(F.cross_entropy(xg, k)); backward(F.linear(x, xg, bg).sum()); backward(xg[0].sum()); backward((vg + xg).sum()); backward(F.softmax(xg, 1).sum())
backward(F.layer_norm(xg, (4,), bg, vg).sum()); backward(M.cat([vg, bg]).sum()); backward(vg.exp().log().sin().sum()); backward(((vg * w + w).sin() * 0.5).tanh().sum())
M.topk(x, 2); M.argsort(x, 1); x.sort(1); M.median(v); v.kthvalue(2); x.median(1); M.mode(v); v.msort()
M.normal(0.0, 1.0, (4,)); nought.normal_(); nought.random_(); nought.exponential_(); M.bernoulli(v); nought.bernoulli_(0.5); M.multinomial(v, 2); M.multinomial(v, 2, True); M.randn_like(v)
M.randint_like(v, 5)
M.full_like(x, 2.0); M.arange(1, 8, 2); M.logspace(0, 1, 4); M.empty(2, 3); v.new_ones(4); v.new_tensor(numbers); v.new_full((2,), 1.0); M.tensor([1, 2]); M.tensor([[1.0, 2.0], [3.0, 4.0]])
M.scalar_tensor(1.0)
x.scatter(1, k[None], y); x.scatter(1, k[None], 1.0); nought.scatter_(0, k, w); nought.scatter_(0, k, 1.0); x.index_add(0, k, y); x.index_copy(0, k, y); x.index_fill(0, k, 0.0)
nought.index_add_(0, k, w); nought.index_copy_(0, k, w); nought.index_fill_(0, k, 0.0); nought.scatter_reduce_(0, k, w, "amax"); v.take(k); nought.masked_scatter_(mask, w)
v.masked_select(mask); nought.index_put_((k,), w); nought.index_put_((k,), w, accumulate=True); v.gather(0, k); v.index_select(0, k)
x.__setitem__((slice(None), 0), v); x.__setitem__((0, 1), 1.0); x.__setitem__((k, k), v); x.__setitem__((slice(None), k), y); x.__setitem__(Ellipsis, y); nought.__setitem__(mask, w); x[mask]
x[0, k]; x[k, 0]; cube[..., 0]; x[:, [0, 2]]; x[k > 1]; x[M.tensor(1)]
M.clamp(v, nought, w); v.clamp(nought); M.minimum(v, w); M.fmax(v, w); M.sign(v); M.floor(v); M.ceil(v); M.trunc(v); M.reciprocal(v); M.rsqrt(v); M.log1p(v); M.expm1(v); M.cos(v)
M.atan2(v, w); M.erf(v); M.remainder(v, 2.0); M.fmod(v, w); M.hypot(v, w); M.xlogy(v, w); M.logaddexp(v, w); M.sinh(v); M.frac(v); M.nan_to_num(v); M.sgn(v); M.exp2(v); M.log2(v)
v >= w; v <= 0.5; v.eq(w); v.ne(0); M.logical_and(mask, mask); M.logical_not(mask); M.logical_or(mask, mask); mask ^ mask; mask | mask; k << 1; k % 2; k // 2; k + 1; k * k; -k; 2 ** v
abs(v); M.isclose(v, w); M.isinf(v); M.signbit(v)
v.nansum(); v.nanmean(); x.cumprod(1); x.cummax(1); x.cummin(1); M.logcumsumexp(x, 1); x.diff(); M.aminmax(v); x.sum((0, 1)); x.max(1, keepdim=True); x.min(0); x.all(1); v.any(); x.prod()
M.std_mean(x); M.var_mean(x, 1); x.std(1, keepdim=True); v.var(); v.std(); v.norm(); M.linalg.vector_norm(x, dim=1); x.norm(1, 1); v.dist(w); M.quantile(v, 0.5); M.nanmedian(v); x.argmax()
x.argmin(); M.renorm(x, 2, 0, 1.0); v.softmax(0); M.cov(x); M.corrcoef(x); M.histc(v, 4)
M.dstack((v, w)); M.column_stack((v, w)); M.cat([v] * 16); M.stack([v] * 16); M.concat([x, y], -1); M.chunk(v, 2); M.split(x, [1, 3]); x.tensor_split(2); x.hsplit(2)
M.meshgrid(v, w, indexing="ij"); M.cartesian_prod(v, w); M.block_diag(x, y); M.tile(v, (2,)); x.repeat(2, 1); M.broadcast_to(v, (4, 4)); M.broadcast_tensors(v, x); M.atleast_2d(v)
x.movedim(0, 1); x.swapaxes(0, 1); x.rot90(); x.fliplr(); v.roll(1); x.unfold(1, 2, 1); M.tril_indices(3, 3); M.tril(x, -1); M.diag(x); M.diag_embed(v); x.diagonal(0, 0, 1)
x.as_strided((2, 2), (4, 1)); x.view_as(y); x.view(M.int32); cube.flatten(); x.squeeze(); M.squeeze(one, 0); M.ravel(x); M.permute(cube, (1, 0, 2)); x.T.reshape(-1); x.adjoint()
M.einsum("i,i->", v, w); M.einsum("bij,bjk->bik", cube, cube.mT); M.einsum("ij->ji", x); M.tensordot(x, y, 1); M.kron(v, w); M.inner(v, w); M.mv(x, v); M.addmv(v, x, w)
M.baddbmm(cube[:, :, :3], cube, cube.mT); M.vdot(v, w); M.cross(x[:, :3], y[:, :3], dim=1); M.linalg.inv(x); M.linalg.det(x); M.linalg.solve(x, y); M.linalg.matrix_norm(x)
M.matrix_power(x, 2); M.linalg.multi_dot((x, y, z)); M.chain_matmul(x, y); M.addr(x, v, w); M.linalg.cholesky(x @ x.mT + 4 * M.eye(4)); M.linalg.qr(x); M.linalg.svdvals(x)
M.unique(k, return_inverse=True); M.unique_consecutive(k); M.bucketize(v, w); M.argwhere(v); M.nonzero(x); M.nonzero(v, as_tuple=True); M.where(mask); k.bincount(minlength=8)
v.count_nonzero(); M.isin(k, 2); M.masked_select(x, x > 0.5)
x.to(y); x.to(M.float64, copy=True); x.int(); x.bool(); x.half(); x.bfloat16(); x.long(); x.type(M.float64); x.is_cuda; x.t().is_contiguous(); x.element_size(); x.data_ptr()
x.requires_grad_(False); one[0, 0].item(); int(k[0]); bool(mask[0]); x.tolist(); x.nelement(); x.get_device(); x.is_complex(); M.numel(x); M.result_type(v, k)
M.can_cast(M.float32, M.float64); M.finfo(M.float32).eps; M.promote_types(M.float32, M.int64); x.is_same_size(y); hash(v); v is w; repr(v); iter(x); list(x); [r for r in v]; k.tolist()
copy(v); deepcopy(v); v.clone().detach(); v.detach().clone(); v.detach().cpu().numpy(); v.any().item(); (v - w).abs().max().item(); M.conj(v)
nought.exp_(); nought.neg_(); nought.pow_(2); nought.abs_(); nought.clamp_(min=0.0); nought.clamp_min_(0.0); nought.round_(); nought.floor_(); nought.sigmoid_(); nought.sin_()
nought.mul_(w); nought.div_(w.add(1)); nought.masked_fill_(mask, 0.0); nought.logical_not_(); nought.t_(); nought.unsqueeze_(0).squeeze_(0); nought.copy_(k); nought.add_(1); nought.fill_(s)
x.fill_diagonal_(0.5); x.tril_(); x.cumsum(0); nought.data.copy_(w); nought.remainder_(1.0); nought.nan_to_num_(); nought.trunc_(); M.add(v, w, out=nought); M.mul(v, w, out=nought)
M.matmul(x, v, out=nought); M.exp(v, out=nought); M.sum(x, 1, out=nought)
backward(M.gather(xg, 1, k[None]).sum()); backward(xg[:, 1:].sum()); backward(xg[k, k].sum()); backward(xg.std()); backward(xg.norm()); backward(xg.cumsum(1).sum())
backward(xg.index_select(0, k).sum()); backward(xg.clamp(0, 1).sum()); backward(xg.logsumexp(1).sum()); backward(xg.masked_fill(mask, 0.0).sum()); backward(vg.repeat(2).sum())
backward(xg.sort(1)[0].sum()); backward(xg.flip(0).sum()); backward(vg.expand(4, 4).sum()); backward(xg.tril().sum()); backward((xg / vg).sum()); backward((vg ** 2).sum())
backward(M.einsum("ij,jk->ik", xg, y).sum()); backward(xg.split(2)[0].sum()); backward(xg.T.sum()); backward((xg - xg.mean(1, keepdim=True)).pow(2).mean()); backward(xg.var(1).sum())
backward(xg.amax(1).sum()); backward(M.outer(vg, bg).sum()); backward(vg.abs().sqrt().sum()); backward(xg.softmax(1).log().sum())
conv(image); gru(x); lstm(x); training(x); attend(x, x, x); block(x); mlp.state_dict(); nn.utils.clip_grad_norm_(grads, 1e9)
conv(image).sum().backward(); gru(x)[0].sum().backward(); lstm(x)[0].sum().backward(); training(xg).sum().backward(); norm(xg).sum().backward()
attend(x, x, x)[0].sum().backward(); block(x).sum().backward(); train(steps[0]); train(steps[1]); train(steps[2]); train(steps[3]); F.dropout(xg, 0.5)
F.grid_sample(image, grid, align_corners=False); F.multi_margin_loss(x, k); F.pixel_shuffle(scores.reshape(1, 4, 2, 1), 2); F.interpolate(image, 8, mode="bilinear")
F.huber_loss(v, w); F.cosine_embedding_loss(x, y, M.ones(4)); F.margin_ranking_loss(v, w, v); F.triplet_margin_loss(x, y, z); M.autograd.grad(F.mse_loss(vg, w), vg)
zero_grad(); sgd.step(); adam.step(); momentum.step(); M.autograd.grad((vg * w).sum(), vg); vg.grad; vg.is_leaf; (vg * w).grad_fn; vg.requires_grad_()
"""


def calls() -> list[str]:
    """The statements, as Python writes them."""
    return [c.strip() for c in CALLS.replace("\n", ";").split(";") if c.strip()]


def least(call: Callable[[], Any], repeats: int) -> float:
    """Seconds of a call, of so many in a row."""
    loop = range(repeats)
    start = time.perf_counter()
    for _ in loop:
        call()
    return (time.perf_counter() - start) / repeats


def measure(call: str, rooms: list[dict[str, Any]], rounds: int) -> list[float]:
    """The least times of both modules, in microseconds."""
    functions = [eval(f"lambda: {call}", room) for room in rooms]
    repeats = max(1, int(1e-3 / max(least(f, 50) for f in functions)))
    best = [math.inf, math.inf]
    for _ in range(rounds):
        for i, function in enumerate(functions):
            best[i] = min(best[i], least(function, repeats))
    return [1e6 * b for b in best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--match", default="", metavar="REGEX", help="only such calls")
    parser.add_argument("--rounds", type=int, default=40, help="of a millisecond (%(default)s)")
    parser.add_argument("--above", type=float, default=0.0, help="show only ratios above this")
    parser.add_argument("--json", metavar="FILE", help="write the rows to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    A = np.random.default_rng(0).uniform(0.1, 0.9, (12, 4)).astype(np.float32)
    rooms = []
    for M in (torch, arraytorch):
        rooms.append({"M": M, "A": A})
        exec(SETTING, rooms[-1])
    rows: dict[str, list[float]] = {}
    for call in calls():
        if re.search(options.match, call):
            rows[call] = measure(call, rooms, options.rounds)
    print(f"{'microseconds':60}{'torch':>9}{'ours':>9}{'ratio':>8}")
    for call, (theirs, ours) in sorted(rows.items(), key=lambda r: -r[1][1] / r[1][0]):
        if ours / theirs >= options.above:
            print(f"{call:60}{theirs:9.2f}{ours:9.2f}{ours / theirs:8.2f}")
    ratios = [ours / theirs for theirs, ours in rows.values()]
    above = sum(r > 2 for r in ratios)
    print(
        f"\n{len(ratios)} calls, geometric mean {statistics.geometric_mean(ratios):.3f}, {above} above 2"
    )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
