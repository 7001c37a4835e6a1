"""The random bits of Intel devices: a kernel where dpnp's 64-bit integers would take seventy passes."""

from __future__ import annotations

from typing import Any

import dpnp

from .dpnp_programs import Kernel
from .generic import ArrayModuleBackend

Array = Any

_PHILOX = Kernel(
    "philox",
    "ulong* a, ulong* b, ulong* c, ulong* d, ulong seed, ulong counter",
    """
    uint c0 = counter, c1 = counter >> 32, c2 = i, c3 = (ulong)i >> 32, k0 = seed, k1 = seed >> 32;
    for (int k = 0; k < 10; k++) {
        uint low = 0xD2511F53u * c0, high = 0xCD9E8D57u * c2;
        uint first = mul_hi(0xCD9E8D57u, c2) ^ c1 ^ k0, third = mul_hi(0xD2511F53u, c0) ^ c3 ^ k1;
        c0 = first; c1 = high; c2 = third; c3 = low;
        k0 += 0x9E3779B9u; k1 += 0xBB67AE85u;
    }
    a[i] = c0; b[i] = c1; c[i] = c2; d[i] = c3;
    """,
)
_ALL = 2**64 - 1


class DpnpRandom(ArrayModuleBackend):
    """Philox's rounds."""

    launch: Any
    devices: Any

    def philox(
        self, seed: int, counter: int, n: int, index: int | None = None
    ) -> tuple[Array, ...]:
        queue = self.devices.queue if index is None else self.devices.all[index].queue
        words = [dpnp.empty(n, dtype="u8", sycl_queue=queue) for _ in range(4)]
        if self.launch(_PHILOX, n, *words, seed & _ALL, counter & _ALL):
            return tuple(words)
        return super().philox(seed, counter, n, index)
