"""A line search for the strong Wolfe conditions, by cubic interpolation.

Algorithms 3.5 and 3.6 of Nocedal and Wright, Numerical Optimization. The loss must have fallen by
a part of what the slope promised, and the slope must have become flatter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

FALL = 1e-4
FLATTER = 0.9
TINY = 1e-9


class Point(NamedTuple):
    """A place on the line: how far along it, the loss, the gradient, and its part along the line."""

    step: Any
    loss: float
    grad: Any
    slope: Any


def search(
    evaluate: Callable[[Any], Point], start: Point, step: Any, reach: Any, limit: int
) -> tuple[Point, int]:
    """Returns the point found, and how often it evaluated: once, and ``limit`` times at most after.

    ``step`` is the first guess, ``reach`` the largest change of a parameter that a step of 1 makes.
    """

    def fell(point: Point) -> bool:
        return not point.loss > start.loss + FALL * point.step * start.slope

    def is_flat(point: Point) -> bool:
        return bool(abs(point.slope) <= -FLATTER * start.slope)

    before, point, more = start, evaluate(step), 0
    while more < limit:
        if not fell(point) or (more > 1 and point.loss >= before.loss):
            break
        if is_flat(point):
            return point, more + 1
        if point.slope >= 0:
            break
        least = point.step + 0.01 * (point.step - before.step)
        step = _between(before, point, least, point.step * 10)
        before, point = point, evaluate(step)
        more += 1
    else:
        before = start

    # A minimum lies between the two ends now.
    ends, stuck = [before, point], False
    low = _lower(ends)
    while more < limit and not abs(ends[1].step - ends[0].step) * reach < TINY:
        left, right = sorted((ends[0].step, ends[1].step))
        step, stuck = _inside(_between(ends[0], ends[1], left, right), left, right, stuck)
        point = evaluate(step)
        more += 1
        if not fell(point) or point.loss >= ends[low].loss:
            ends[1 - low] = point
            low = _lower(ends)
            continue
        done = is_flat(point)
        if not done and point.slope * (ends[1 - low].step - ends[low].step) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
        if done:
            break
    return ends[low], more + 1


def _lower(ends: list[Point]) -> int:
    return 0 if ends[0].loss <= ends[1].loss else 1


def _inside(step: Any, left: Any, right: Any, stuck: bool) -> tuple[Any, bool]:
    """Moves a step off the ends of its interval if it was near one twice, or is beyond it."""
    margin = 0.1 * (right - left)
    if not min(right - step, step - left) < margin:
        return step, False
    if not (stuck or step >= right or step <= left):
        return step, True
    nearer_right = abs(step - right) < abs(step - left)
    return (right - margin if nearer_right else left + margin), False


def _between(a: Point, b: Point, least: Any, most: Any) -> Any:
    """Returns where the cubic through two points with their slopes is lowest, within bounds."""
    if not a.step <= b.step:
        a, b = b, a
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.step - b.step)
    square = mean**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2.0
    root = square.sqrt()
    lowest = b.step - (b.step - a.step) * ((b.slope + root - mean) / (b.slope - a.slope + 2 * root))
    return min(max(lowest, least), most)
