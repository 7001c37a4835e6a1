"""The innermost loops of matrix products, in vectors of the processor's own width.

A tile of the result, a few rows by at most three vectors, stays in registers while the product runs
along what is summed over (K. Goto and R. A. van de Geijn, Anatomy of High-Performance Matrix
Multiplication, ACM TOMS 34, 2008). What LLVM makes of a loop in Python does not keep it there, so
that these loops are written as LLVM's own code.

Sums start at zero for every block of what is summed over, and blocks are added up: more digits are
kept than by one long sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .numba_math import compiled
from .threads import get_num_threads

VECTORS = 3  # that a tile is wide at most
_WORTH = 1 << 22  # multiplications that are worth a thread: some 50 microseconds


def _width() -> tuple[int, int]:
    """Bytes in a vector, and rows in a tile that the registers have room for."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 8
    if features.get("avx2") and features.get("fma"):
        return 32, 4
    return 16, 8 if features.get("neon") else 4


BYTES, ROWS = _width()
WIDE = BYTES >= 32  # where vectors are short, the matrix library knows its processors better
_WORD, _INDEX = ir.IntType(64), ir.IntType(32)


def lanes(itemsize: int) -> int:
    """How many numbers a vector has."""
    return BYTES // itemsize


def parts(units: int, work: int) -> list[tuple[int, int]]:
    """The ranges of units that threads work on, of so many multiplications."""
    count = max(min(work // _WORTH, units, get_num_threads()), 1) if work >= 2 * _WORTH else 1
    return [(units * i // count, units * (i + 1) // count) for i in range(count)]


def _number(n: int) -> Any:
    return ir.Constant(_WORD, n)


class _Code:
    """What writes loads, stores and products of vectors."""

    def __init__(self, context: Any, builder: Any, array: Any) -> None:
        self.context, self.builder = context, builder
        self.scalar = context.get_data_type(array.dtype)
        self.size = array.dtype.bitwidth // 8
        self.lanes = lanes(self.size)
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.zero = ir.Constant(self.vector, None)
        self.fma = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.fma.v{self.lanes}f{8 * self.size}",
        )

    def at(self, array_type: Any, array: Any, offset: Any) -> Any:
        data = self.context.make_array(array_type)(self.context, self.builder, array).data
        return self.builder.gep(data, [offset])

    def moved(self, pointer: Any, steps: Any) -> Any:
        return self.builder.gep(pointer, [steps if isinstance(steps, ir.Value) else _number(steps)])

    def load(self, pointer: Any) -> Any:
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        return self.builder.load(pointer, align=self.size)

    def store(self, value: Any, pointer: Any) -> None:
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.builder.store(value, pointer, align=self.size)

    def spread(self, number: Any) -> Any:
        """A vector that has the number everywhere."""
        nothing = ir.Constant(self.vector, ir.Undefined)
        one = self.builder.insert_element(nothing, number, ir.Constant(_INDEX, 0))
        everywhere = ir.Constant(ir.VectorType(_INDEX, self.lanes), None)
        return self.builder.shuffle_vector(one, nothing, everywhere)

    def picked(self, x: Any, y: Any, places: list[int]) -> Any:
        """Numbers of two vectors, by their places in both together."""
        mask = ir.Constant(ir.VectorType(_INDEX, self.lanes), places)
        return self.builder.shuffle_vector(x, y, mask)

    def tile(
        self, rows: int, vectors: int, a: Any, row: Any, step: Any, depth: Any, right: _Right
    ) -> list[Any]:
        """The vectors of sum_k a[r, k] b[k], of a tile's rows one after the other."""
        builder, before = self.builder, self.builder.block
        loop, done = builder.append_basic_block("along"), builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        starts = [_number(0), a, right.start, *[self.zero] * (rows * vectors)]
        at = [builder.phi(start.type) for start in starts]
        for phi, start in zip(at, starts, strict=True):
            phi.add_incoming(start, before)
        k, p, q = at[:3]
        b = right.vectors(q, vectors)
        sums = []
        for r in range(rows):
            left = self.spread(builder.load(self.moved(p, builder.mul(row, _number(r)))))
            for v in range(vectors):
                sums.append(builder.call(self.fma, [left, b[v], at[3 + r * vectors + v]]))
        k = builder.add(k, _number(1))
        ends = [k, self.moved(p, step), right.next(q, vectors), *sums]
        for phi, end in zip(at, ends, strict=True):
            phi.add_incoming(end, loop)
        builder.cbranch(builder.icmp_signed("<", k, depth), loop, done)
        builder.position_at_end(done)
        return sums

    def each_tile(self, n: Any, m: Any, tile: Callable[[int, int], None]) -> None:
        """Writes the code of each size of a tile, of which n and m choose one."""
        builder = self.builder
        end = builder.append_basic_block("end")
        choice = builder.switch(builder.add(builder.mul(n, _number(VECTORS + 1)), m), end)
        for rows in (8, 4, 2, 1):
            for vectors in range(1, VECTORS + 1) if rows <= ROWS else ():
                block = builder.append_basic_block(f"tile{rows}x{vectors}")
                choice.add_case(_number(rows * (VECTORS + 1) + vectors), block)
                builder.position_at_end(block)
                tile(rows, vectors)
                builder.branch(end)
        builder.position_at_end(end)

    def added(self, sums: list[Any], lines: list[Any], pitch: Any, start: Any, first: Any) -> None:
        """Stores a tile whose first row goes to ``lines``, with what is there or each row's start."""
        builder, vectors = self.builder, len(lines)
        with builder.if_else(first) as ways:
            for fresh, way in zip((True, False), ways, strict=True):
                with way:
                    for r in range(len(sums) // vectors):
                        bias = self.spread(builder.load(self.moved(start, r)))
                        for v, line in enumerate(lines):
                            to = self.moved(line, builder.mul(pitch, _number(r)))
                            more = bias if fresh else self.load(to)
                            self.store(builder.fadd(sums[r * vectors + v], more), to)


class _Packed:
    """Right factors that lie one after the other, a line of vectors for each k."""

    def __init__(self, code: _Code, start: Any) -> None:
        self.code, self.start = code, start

    def vectors(self, at: Any, count: int) -> list[Any]:
        return [self.code.load(self.code.moved(at, v * self.code.lanes)) for v in range(count)]

    def next(self, at: Any, count: int) -> Any:
        return self.code.moved(at, count * self.code.lanes)


class _Scattered:
    """Right factors that lie at starts of their own, and for each k further by an offset."""

    def __init__(self, code: _Code, start: Any, places: list[Any]) -> None:
        self.code, self.start, self.places = code, start, places

    def vectors(self, at: Any, count: int) -> list[Any]:
        offset = self.code.builder.load(at)
        return [self.code.load(self.code.moved(p, offset)) for p in self.places[:count]]

    def next(self, at: Any, count: int) -> Any:
        return self.code.moved(at, 1)


_Right = _Packed | _Scattered


@intrinsic
def _tile(typingctx: Any, rows, vectors, a, a0, row, step, b, b0, depth, c, c0, pitch, start, s0, first):  # type: ignore[no-untyped-def]  # fmt: skip
    word, flag = types.intp, types.boolean
    signature = types.void(
        word, word, a, word, word, word, b, word, word, c, word, word, start, word, flag
    )

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        n, m, a, a0, row, step, b, b0, depth, c, c0, pitch, start, s0, first = args
        code = _Code(context, builder, kinds[9])
        a, b = code.at(kinds[2], a, a0), code.at(kinds[6], b, b0)
        c, start = code.at(kinds[9], c, c0), code.at(kinds[12], start, s0)

        def tile(rows: int, vectors: int) -> None:
            sums = code.tile(rows, vectors, a, row, step, depth, _Packed(code, b))
            lines = [code.moved(c, v * code.lanes) for v in range(vectors)]
            code.added(sums, lines, pitch, start, first)

        code.each_tile(n, m, tile)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def window(typingctx: Any, rows, vectors, a, a0, row, b, at, offsets, k0, depth, c, to, pitch, start, s0, first):  # type: ignore[no-untyped-def]  # fmt: skip
    word, flag = types.intp, types.boolean
    signature = types.void(
        word, word, a, word, word, b, at, offsets, word, word, c, to, word, start, word, flag
    )

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        n, m, a, a0, row, b, at, offsets, k0, depth, c, to, pitch, start, s0, first = args
        code = _Code(context, builder, kinds[10])
        a, start = code.at(kinds[2], a, a0), code.at(kinds[13], start, s0)
        offsets, zero = code.at(kinds[7], offsets, k0), _number(0)
        at, to = code.at(kinds[6], at, zero), code.at(kinds[11], to, zero)
        b, c = code.at(kinds[5], b, zero), code.at(kinds[10], c, zero)
        places = [code.moved(b, builder.load(code.moved(at, v))) for v in range(VECTORS)]
        lines = [code.moved(c, builder.load(code.moved(to, v))) for v in range(VECTORS)]

        def tile(rows: int, vectors: int) -> None:
            right = _Scattered(code, offsets, places)
            sums = code.tile(rows, vectors, a, row, _number(1), depth, right)
            code.added(sums, lines[:vectors], pitch, start, first)

        code.each_tile(n, m, tile)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def dots(typingctx, x, places, x0, y, y0, count, sums):  # type: ignore[no-untyped-def]
    """Adds to three vectors the products of y[y0] and what follows with x[x0 + places[t]].

    What lies beyond ``count`` numbers is read, but does not matter, be it NaN.
    """
    word = types.intp
    signature = types.void(x, places, word, y, word, word, sums)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds, zero = signature.args, _number(0)
        x, places, x0, y, y0, count, sums = args
        code = _Code(context, builder, kinds[6])
        y, sums = code.at(kinds[3], y, y0), code.at(kinds[6], sums, zero)
        places, x = code.at(kinds[1], places, zero), code.at(kinds[0], x, x0)
        lines = [code.moved(x, builder.load(code.moved(places, t))) for t in range(VECTORS)]
        totals = [code.moved(sums, t * code.lanes) for t in range(VECTORS)]
        numbers = ir.VectorType(_WORD, code.lanes)
        order = ir.Constant(numbers, list(range(code.lanes)))

        def spread(n: Any) -> Any:
            one = builder.insert_element(ir.Constant(numbers, ir.Undefined), n, zero)
            mask = ir.Constant(ir.VectorType(_INDEX, code.lanes), None)
            return builder.shuffle_vector(one, ir.Constant(numbers, ir.Undefined), mask)

        before = builder.block
        loop, done = builder.append_basic_block("along"), builder.append_basic_block("summed")
        starts = [zero, *[code.load(total) for total in totals]]
        builder.branch(loop)
        builder.position_at_end(loop)
        at = [builder.phi(start.type) for start in starts]
        for phi, start in zip(at, starts, strict=True):
            phi.add_incoming(start, before)
        inside = builder.icmp_signed("<", order, spread(builder.sub(count, at[0])))
        right = builder.select(inside, code.load(code.moved(y, at[0])), code.zero)
        ends = [builder.add(at[0], _number(code.lanes))]
        for line, total in zip(lines, at[1:], strict=True):
            left = builder.select(inside, code.load(code.moved(line, at[0])), code.zero)
            ends.append(builder.call(code.fma, [left, right, total]))
        for phi, end in zip(at, ends, strict=True):
            phi.add_incoming(end, loop)
        builder.cbranch(builder.icmp_signed("<", ends[0], count), loop, done)
        builder.position_at_end(done)
        for total, end in zip(totals, ends[1:], strict=True):
            code.store(end, total)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def move(typingctx: Any, source, s0, to, t0):  # type: ignore[no-untyped-def]
    """Copies a vector."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature.args[2])
        value = code.load(code.at(signature.args[0], args[0], args[1]))
        code.store(value, code.at(signature.args[2], args[2], args[3]))
        return context.get_dummy_value()

    return types.void(source, types.intp, to, types.intp), generate


@intrinsic
def clear(typingctx: Any, to, t0):  # type: ignore[no-untyped-def]
    """Makes a vector zero."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature.args[0])
        code.store(code.zero, code.at(signature.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(to, types.intp), generate


def _sieve(step: int) -> Any:
    """What copies every second or fourth number, as many as a vector has."""

    def chosen(typingctx: Any, source, s0, to, t0):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            code = _Code(context, builder, signature.args[2])
            start, even = code.at(signature.args[0], args[0], args[1]), range(0, 2 * code.lanes, 2)
            found = [code.load(code.moved(start, i * code.lanes)) for i in range(step)]
            while len(found) > 1:
                pairs = zip(found[::2], found[1::2], strict=True)
                found = [code.picked(x, y, list(even)) for x, y in pairs]
            code.store(found[0], code.at(signature.args[2], args[2], args[3]))
            return context.get_dummy_value()

        return types.void(source, types.intp, to, types.intp), generate

    return intrinsic(chosen)


sieve2, sieve4 = _sieve(2), _sieve(4)


@intrinsic
def scatter2(typingctx: Any, source, s0, count, to, t0):  # type: ignore[no-untyped-def]
    """Copies ``count`` numbers, a vector at most, to every second place, and leaves what is between."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature.args[3])
        value, n = code.load(code.at(signature.args[0], args[0], args[1])), code.lanes
        place = code.at(signature.args[3], args[3], args[4])
        numbers, flags = ir.VectorType(_INDEX, n), ir.VectorType(ir.IntType(1), n)
        pointer = code.vector.as_pointer()
        store = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [code.vector, pointer, _INDEX, flags]),
            f"llvm.masked.store.v{n}f{8 * code.size}.p0",
        )
        nothing = ir.Constant(numbers, ir.Undefined)
        one = builder.insert_element(
            nothing, builder.trunc(args[2], _INDEX), ir.Constant(_INDEX, 0)
        )
        limit = builder.shuffle_vector(one, nothing, ir.Constant(numbers, None))
        for half in range(2):
            order = [half * n // 2 + i // 2 for i in range(n)]
            # An odd place is never chosen: its number is too large.
            chosen = ir.Constant(numbers, [1 << 30 if i % 2 else order[i] for i in range(n)])
            mask = builder.icmp_signed("<", chosen, limit)
            at = builder.bitcast(code.moved(place, half * n), pointer)
            builder.call(
                store, [code.picked(value, value, order), at, ir.Constant(_INDEX, code.size), mask]
            )
        return context.get_dummy_value()

    return types.void(source, types.intp, types.intp, to, types.intp), generate


@intrinsic
def turn(typingctx: Any, source, s0, row, to, t0, pitch):  # type: ignore[no-untyped-def]
    """Copies a square of as many numbers as a vector has, transposed."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        code = _Code(context, builder, signature.args[3])
        n = code.lanes
        start = code.at(signature.args[0], args[0], args[1])
        x = [code.load(code.moved(start, builder.mul(args[2], _number(i)))) for i in range(n)]
        half = 1
        while half < n:  # exchanges the off-diagonal quarters of squares twice as large each time
            for i in range(n):
                if not i & half:
                    j = i | half
                    low = [k if not k & half else n + k - half for k in range(n)]
                    high = [k + half if not k & half else n + k for k in range(n)]
                    x[i], x[j] = code.picked(x[i], x[j], low), code.picked(x[i], x[j], high)
            half *= 2
        place = code.at(signature.args[3], args[3], args[4])
        for i in range(n):
            code.store(x[i], code.moved(place, builder.mul(args[5], _number(i))))
        return context.get_dummy_value()

    signature = types.void(source, types.intp, types.intp, to, types.intp, types.intp)
    return signature, generate


@compiled()
def _next(count):  # type: ignore[no-untyped-def]
    return 8 if count >= 8 and ROWS == 8 else (4 if count >= 4 else (2 if count >= 2 else 1))


@compiled()
def tiles(count, vectors, a, a0, row, step, b, b0, depth, c, c0, pitch, start, s0, first):  # type: ignore[no-untyped-def]
    """Makes ``count`` rows of the result, or adds to them unless they are the ``first`` sums.

    a[a0 + r row + k step] times b[b0 + k width + i], summed over k, is added to c[c0 + r pitch + i],
    where a width is ``vectors``. The first time, start[s0 + r] is added instead of what is there.
    """
    while count > 0:
        rows = _next(count)
        _tile(rows, vectors, a, a0, row, step, b, b0, depth, c, c0, pitch, start, s0, first)
        count, a0, c0, s0 = count - rows, a0 + rows * row, c0 + rows * pitch, s0 + rows


@compiled()
def windows(count, vectors, a, a0, row, b, at, offsets, k0, depth, c, to, pitch, start, s0, first):  # type: ignore[no-untyped-def]
    """The same for vectors that lie at b[at[v] + offsets[k0 + k]], with results at c[to[v]].

    Moves the places ``to``.
    """
    while count > 0:
        rows = _next(count)
        window(rows, vectors, a, a0, row, b, at, offsets, k0, depth, c, to, pitch, start, s0, first)
        count, a0, s0 = count - rows, a0 + rows * row, s0 + rows
        for v in range(VECTORS):
            to[v] += rows * pitch


@compiled()
def aligned(array, itemsize):  # type: ignore[no-untyped-def]
    """The place of a flat array from which vectors do not straddle lines of the cache."""
    return (-array.ctypes.data % 64) // itemsize
