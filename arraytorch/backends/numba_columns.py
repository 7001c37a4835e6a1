"""Convolutions as products of matrices whose columns are gathered while they are multiplied.

No columns are ever stored: a block of them is copied from the padded image to a place that stays in
the second-level cache, in the order in which `numba_tiles` wants it, and used for all outputs.
"""

from __future__ import annotations

import numpy as np

from .numba_math import EXACT, compiled
from .numba_tiles import (
    ROWS,
    VECTORS,
    aligned,
    clear,
    dots,
    move,
    scatter2,
    sieve2,
    sieve4,
    tiles,
    turn,
    window,
    windows,
)

_DEPTH = 192  # elements that are summed up in registers at once
_BLOCK = 80 * 1024  # elements of columns that are gathered at a time
_LINES = 96  # lines of a weight's gradient that are worked on at a time


@compiled(EXACT)
def padded(start, stop, x, plane, source, spans, lanes, wide):  # type: ignore[no-untyped-def]
    """Planes of an image with zeros around them, split into phases, a line at a time.

    Line i of a plane takes source[i] and what follows, or nothing if that is negative; spans[i] are
    where in the line that begins and ends, its length and the step in the source.
    """
    lines, each = source.size, spans[0, 2]
    to, end = start * lines * each, stop * lines * each
    for p in range(start, stop):
        for i in range(lines):
            first, last, step = spans[i, 0], spans[i, 1], spans[i, 3]
            at, many = p * plane + source[i], last - first if source[i] >= 0 else 0
            if many == 0:
                first, last = each, each
            fast = step == 1 or step == 2 or step == 4
            if fast and to + each + lanes <= end and at + step * (many + lanes) <= x.size:
                for j in range(0, first, lanes):  # what is too much is written again
                    clear(wide, to + j)
                for j in range(0, many, lanes):
                    if step == 1:
                        move(x, at + j, wide, to + first + j)
                    elif step == 2:
                        sieve2(x, at + 2 * j, wide, to + first + j)
                    else:
                        sieve4(x, at + 4 * j, wide, to + first + j)
                for j in range(last, each, lanes):
                    clear(wide, to + j)
            else:
                for j in range(first):
                    wide[to + j] = 0
                for j in range(many):
                    wide[to + first + j] = x[at + j * step]
                for j in range(last, each):
                    wide[to + j] = 0
            to += each


@compiled(EXACT)
def _runs(j, count, area, length, sample, rows, places, outer, gap, found):  # type: ignore[no-untyped-def]
    """Cuts columns from number j on into runs that lie in a row, and returns how many there are.

    For each: the column within the block, how long it is, its place in the image and the result.
    """
    n, c = 0, 0
    s, q = j // area, j % area
    r, i = q // length, q % length
    while c < count:
        many = min(length - i, count - c)
        found[n, 0], found[n, 1] = c, many
        found[n, 2] = s * sample + rows[r] + i
        found[n, 3] = s * outer + places[r] + i * gap
        n, c, i = n + 1, c + many, 0
        r += 1
        if r == rows.size:
            r, s = 0, s + 1
    return n


@compiled(EXACT)
def _moves(runs, n, lanes, found):  # type: ignore[no-untyped-def]
    """Cuts runs into vectors, and returns how many: their places in the image and in the block.

    The last one of a run may be too long. What it writes too much is written again by the next.
    """
    m = 0
    for i in range(n):
        for at in range(0, runs[i, 1], lanes):
            found[m, 0], found[m, 1] = runs[i, 2] + at, runs[i, 0] + at
            m += 1
    return m


@compiled(EXACT)
def _gathered(wide, last, offsets, extra, runs, n, lanes, width, moves, to, t0):  # type: ignore[no-untyped-def]
    """Copies runs of the image to lines of a block, for each offset one."""
    m = _moves(runs, n, lanes, moves)
    if moves[m - 1, 0] + last + lanes <= wide.size:
        for offset in offsets:
            offset += extra
            for i in range(m):
                move(wide, offset + moves[i, 0], to, t0 + moves[i, 1])
            t0 += width
    else:
        for offset in offsets:
            for i in range(n):
                c, at = t0 + runs[i, 0], runs[i, 2] + offset + extra
                for j in range(runs[i, 1]):
                    to[c + j] = wide[at + j]
            t0 += width


@compiled(EXACT)
def _placed(sums, width, high, runs, n, plane, gap, lanes, tile, out, channel):  # type: ignore[no-untyped-def]
    """Copies runs of a tile's rows to planes of the result."""
    for i in range(n):
        c, many = tile + runs[i, 0], runs[i, 1]
        to = runs[i, 3] + channel * plane
        for _ in range(high):
            if gap == 2:
                for j in range(0, many, lanes):
                    scatter2(sums, c + j, many - j, out, to + 2 * j)
            else:
                for j in range(many):
                    out[to + j * gap] = sums[c + j]
            to, c = to + plane, c + width


@compiled(EXACT)
def convolved(start, stop, low, top, sizes, wide, offsets, rows, places, weight, bias, out):  # type: ignore[no-untyped-def]
    """Outputs ``low`` to ``top`` of each group, from block ``start`` of all groups' columns to ``stop``."""
    samples, groups, length, sample, step, plane, gap, plain, lanes = sizes
    area, k, wider = rows.size * length, offsets.size, VECTORS * lanes
    per = weight.size // (k * groups)
    depth = -(-k // -(-k // _DEPTH))
    columns, last = samples * area, offsets.max() + (groups - 1) * step
    panels = -(-columns // wider)
    most = max(min(_BLOCK // (depth * wider), _BLOCK // ((top - low) * wider), stop - start), 1)
    buffer = np.empty(depth * wider * most + 64 + lanes, wide.dtype)
    left = aligned(buffer, wide.itemsize)
    sums = np.empty(((top - low + ROWS) * most if k > depth else ROWS) * wider + 64, wide.dtype)
    sum0 = aligned(sums, wide.itemsize)
    runs, counts = np.empty((most, wider, 4), np.int64), np.empty(most, np.int64)
    moves = np.empty((wider, 2), np.int64)
    unit = start
    while unit < stop:
        group, first = unit // panels, unit % panels
        count = min(most, stop - unit, panels - first)
        for p in range(count):
            j = (first + p) * wider
            counts[p] = _runs(
                j, min(wider, columns - j), area, length, sample, rows, places,
                plane * per * groups, gap, runs[p],
            )  # fmt: skip
        for k0 in range(0, k, depth):
            deep = min(depth, k - k0)
            at = left
            for p in range(count):
                width = min(VECTORS, -(-(columns - (first + p) * wider) // lanes)) * lanes
                _gathered(wide, last, offsets[k0 : k0 + deep], group * step, runs[p], counts[p],
                          lanes, width, moves, buffer, at)  # fmt: skip
                at += deep * width
            for o in range(low, top, ROWS):
                high = min(ROWS, top - o)
                channel = group * per + o
                at = left
                for p in range(count):
                    j = (first + p) * wider
                    vectors = min(VECTORS, -(-(columns - j) // lanes))
                    q = j % area
                    direct = plain and q + wider <= area  # the tile lies in lines of one image
                    if direct:
                        result, pitch = out, plane
                        to = (j // area * per * groups + channel) * plane + q
                    else:
                        result, pitch = sums, wider
                        to = sum0 + (((o - low) * most + p * ROWS) * wider if k > depth else 0)
                    tiles(high, vectors, weight, channel * k + k0, k, 1, buffer, at, deep,
                          result, to, pitch, bias, channel, k0 == 0)  # fmt: skip
                    if not direct and k0 + deep == k:
                        _placed(sums, wider, high, runs[p], counts[p], plane, gap, lanes, to,
                                out, channel)  # fmt: skip
                    at += deep * vectors * lanes
        unit += count


@compiled(EXACT)
def turned(start, stop, g, samples, groups, per, area, lanes, to):  # type: ignore[no-untyped-def]
    """Lines of g, transposed and side by side in panels, by sample, group and vector of lines."""
    vectors = -(-per // lanes)
    for unit in range(start, stop):
        v = unit % vectors
        group, n = unit // vectors % groups, unit // vectors // groups
        width = min(VECTORS, vectors - v // VECTORS * VECTORS) * lanes
        # the panel's start, the sample's, and the vector's in the panel
        at = (group * vectors + v // VECTORS * VECTORS) * lanes * samples * area
        at += n * area * width + v % VECTORS * lanes
        first = (n * groups + group) * per + v * lanes
        high = min(lanes, per - v * lanes)
        # Lines beyond the last of a group fill places that nobody reads.
        whole = area // lanes * lanes if (first + lanes) * area <= g.size else 0
        for q in range(0, whole, lanes):
            turn(g, first * area + q, area, to, at + q * width, width)
        for q in range(whole, area):
            for r in range(lanes):
                to[at + q * width + r] = g[(first + r) * area + q] if r < high else 0


@compiled(EXACT)
def weighed(start, stop, sizes, wide, offsets, rows, turned, w):  # type: ignore[no-untyped-def]
    """Lines of the weight's gradient, a kernel element of a channel each, of all groups."""
    samples, groups, length, sample, step, per, lanes = sizes
    area, k = rows.size * length, offsets.size
    total, vectors = samples * area, -(-per // lanes)
    across = vectors * lanes
    pitch = _DEPTH + lanes  # not a power of two, which would crowd a part of the cache
    a, sums = np.empty(_LINES * pitch + lanes, wide.dtype), np.empty(_LINES * across, wide.dtype)
    runs, moves = np.empty((_DEPTH, 4), np.int64), np.empty((_DEPTH, 2), np.int64)
    none, last = np.zeros(_LINES, wide.dtype), offsets.max() + (groups - 1) * step
    unit = start
    while unit < stop:
        group, first = unit // k, unit % k
        lines = min(_LINES, stop - unit, k - first)
        for q in range(0, total, _DEPTH):
            deep = min(_DEPTH, total - q)
            n = _runs(q, deep, area, length, sample, rows, rows, 0, 1, runs)
            _gathered(wide, last, offsets[first : first + lines], group * step, runs, n, lanes, pitch,
                      moves, a, 0)  # fmt: skip
            for v in range(0, vectors, VECTORS):
                many = min(VECTORS, vectors - v)
                at = (group * vectors + v) * lanes * total + q * many * lanes
                tiles(lines, many, a, 0, pitch, 1, turned, at, deep,
                      sums, v * lanes, across, none, 0, q == 0)  # fmt: skip
        for o in range(per):
            to = (group * per + o) * k + first
            for i in range(lines):
                w[to + i] = sums[i * across + o]
        unit += lines


@compiled(EXACT)
def exchanged(start, stop, w, outputs, inputs, taps, chosen, lanes, to):  # type: ignore[no-untyped-def]
    """The chosen kernel elements of a weight with inputs and outputs exchanged, by input and group.

    A few inputs at a time: what is read lies together then, and what is written in few places.
    """
    many = chosen.size
    fast = many == taps and 2 * many > lanes
    unit = start
    while unit < stop:
        group, c = unit // inputs, unit % inputs
        few = min(16, stop - unit, inputs - c)
        for o in range(outputs):
            at = ((group * outputs + o) * inputs + c) * taps
            for i in range(few):
                line = ((unit + i) * outputs + o) * many
                if fast and o + 1 < outputs and at + taps + lanes <= w.size:
                    for t in range(0, many, lanes):  # what is too much is written again
                        move(w, at + t, to, line + t)
                else:
                    for t in range(many):
                        to[line + t] = w[at + chosen[t]]
                at += taps
        unit += few


@compiled(EXACT)
def windowed(start, stop, sizes, wide, offsets, rows, places, weight, bias, out):  # type: ignore[no-untyped-def]
    """The same as `convolved`, by whole vectors of columns as they lie in the image, three at a time."""
    samples, groups, length, sample, step, plane, lanes = sizes
    k, each = offsets.size, length // lanes
    per, total = weight.size // (k * groups), samples * rows.size * each
    depth = -(-k // -(-k // _DEPTH))
    panels = -(-total // VECTORS)
    at, base, to = np.zeros((3, VECTORS), np.int64)
    for unit in range(start, stop):
        group, first = unit // panels, unit % panels * VECTORS
        vectors = min(VECTORS, total - first)
        for v in range(vectors):
            line, i = (first + v) // each, (first + v) % each * lanes
            n, r = line // rows.size, line % rows.size
            at[v] = n * sample + group * step + rows[r] + i
            base[v] = (n * groups + group) * per * plane + places[r] + i
        for k0 in range(0, k, depth):
            to[:] = base
            windows(per, vectors, weight, group * per * k + k0, k, wide, at, offsets, k0,
                    min(depth, k - k0), out, to, plane, bias, group * per, k0 == 0)  # fmt: skip


@compiled(EXACT)
def planes(start, stop, sizes, wide, offsets, rows, places, weight, bias, out):  # type: ignore[no-untyped-def]
    """The planes of a convolution of each channel by itself, a few vectors of a line at a time."""
    channels, length, sample, plane, gap, plain, lanes = sizes
    k, width = offsets.size, VECTORS * lanes
    pieces = rows.size * -(-length // lanes)
    tile = np.empty(width, wide.dtype)
    at, to, many = np.zeros((3, VECTORS), np.int64)
    aside = np.arange(VECTORS) * lanes
    for p in range(start, stop):
        c, r, i = p % channels, 0, 0
        for q in range(0, pieces, VECTORS):
            vectors = min(VECTORS, pieces - q)
            for v in range(vectors):  # of lines that are short, a piece each
                at[v] = p * sample + rows[r] + i
                to[v] = p * plane + places[r] + i * gap
                many[v] = min(lanes, length - i)
                i += lanes
                if i >= length:
                    r, i = r + 1, 0
            if plain and to[vectors - 1] + lanes <= (p + 1) * plane:
                # What is too much is written again.
                window(1, vectors, weight, c * k, k, wide, at, offsets, 0, k,
                       out, to, plane, bias, c, True)  # fmt: skip
            else:
                window(1, vectors, weight, c * k, k, wide, at, offsets, 0, k,
                       tile, aside, width, bias, c, True)  # fmt: skip
                for v in range(vectors):
                    if gap == 2:
                        scatter2(tile, aside[v], many[v], out, to[v])
                    else:
                        for j in range(many[v]):
                            out[to[v] + j * gap] = tile[aside[v] + j]


@compiled(EXACT)
def plane_weights(start, stop, sizes, wide, offsets, rows, g, w):  # type: ignore[no-untyped-def]
    """The weight's gradient of channels that are convolved by themselves, three elements at a time."""
    samples, channels, length, sample, lanes = sizes
    taps, sums, places = (
        offsets.size,
        np.empty(VECTORS * lanes, w.dtype),
        np.zeros(VECTORS, np.int64),
    )
    whole = g.size - -(-length // lanes) * lanes
    for c in range(start, stop):
        for t in range(0, taps, VECTORS):
            many = min(VECTORS, taps - t)
            places[:many] = offsets[t : t + many]
            w[c * taps + t : c * taps + t + many] = 0
            for n in range(samples):
                sums[:] = 0
                for r in range(rows.size):
                    at, to = (
                        (n * channels + c) * sample + rows[r],
                        ((n * channels + c) * rows.size + r) * length,
                    )
                    if to <= whole:
                        dots(wide, places, at, g, to, length, sums)
                    else:
                        for q in range(many):
                            for i in range(length):
                                sums[q * lanes] += wide[at + places[q] + i] * g[to + i]
                for q in range(many):
                    w[c * taps + t + q] += sums[q * lanes : (q + 1) * lanes].sum()
