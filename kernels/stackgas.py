"""A synthetic stack: what its gas does, minute by minute.

Belongs here: the loops that make the simulator's true values. Does not belong here: which plants exist and what their levels
are (`simulator`), and what a logger makes of the values (`kernels/logger.py`).

Noise comes from a hash of (key, channel, minute), so every day can be made by itself; the autoregressive part starts
`WARM_UP` minutes before midnight, after which its start no longer shows.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Longs: TypeAlias = NDArray[np.int64]

DAY_MINUTES = 1440
WARM_UP = 360
#: Minutes between the knots of the slow drift.
_KNOT = 360
_SINE = np.sin(np.arange(DAY_MINUTES) * (2.0 * math.pi / DAY_MINUTES))
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_MASK16 = np.uint64(0xFFFF)


@njit(cache=True, nogil=True)
def hash64(key: np.uint64, a: int, b: int) -> np.uint64:
    """splitmix64 of the key moved by two counters."""
    z = key + np.uint64(a) * _MIX2 + (np.uint64(b) + np.uint64(1)) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def bell(key: np.uint64, a: int, b: int) -> float:
    """Nearly normal, mean 0, variance 1: the sum of four 16-bit uniforms (Irwin-Hall), so no logarithm is needed."""
    z = hash64(key, a, b)
    total = np.uint64(0)
    for _ in range(4):
        total += z & _MASK16
        z >>= np.uint64(16)
    return (np.float64(total) - 131070.0) / 37837.22


@njit(cache=True, nogil=True)
def _minutes(key: np.uint64, day: int, shape: Floats, phase: Longs, run: Floats, heat: Floats, out: Floats) -> None:
    base, noise, phi, swing, cold, boost = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
    for c in range(shape.shape[1]):
        fresh = math.sqrt(1.0 - phi[c] * phi[c])
        first = day * DAY_MINUTES
        state = 0.0
        for m in range(-WARM_UP, 0):
            state = phi[c] * state + fresh * bell(key, c, first + m)
        knot = first // _KNOT
        # Knots lie below all minutes in the counter, so that the two never share a draw.
        before, after = bell(key, c, -1 - knot), bell(key, c, -2 - knot)
        for m in range(DAY_MINUTES):
            state = phi[c] * state + fresh * bell(key, c, first + m)
            if (first + m) // _KNOT != knot:
                knot += 1
                before, after = after, bell(key, c, -2 - knot)
            part = (first + m - knot * _KNOT) / _KNOT
            slow = before * (1.0 - part) + after * part
            wave = swing[c] * _SINE[(m + phase[c]) % DAY_MINUTES]
            hot = base[c] * (1.0 + wave + noise[c] * (0.8 * state + 0.6 * slow))
            out[c, m] = cold[c] + (hot * (1.0 + boost[c] * heat[m]) - cold[c]) * run[m]


def stack_minutes(key: int, day: int, shape: Floats, phase: Longs, run: Floats, heat: Floats) -> Floats:
    """Values of a stack for each minute of one day, float64[channels, 1440], in the units of `shape`.

    key: seed of the stack, 0..2**64-1. day: days since 1970-01-01. shape[6, channels]: level when running, noise as a share of
    it, autocorrelation from minute to minute, daily wave as a share, level when stopped, extra share at full heat-up.
    phase[channels]: minutes by which the daily wave is ahead. run, heat [1440]: how far the source runs and heats up, 0..1.
    Raises ValueError when the shapes do not fit.
    """
    if shape.shape != (6, phase.size) or run.shape != (DAY_MINUTES,) or heat.shape != (DAY_MINUTES,):
        raise ValueError(f"shape {shape.shape}, phase {phase.shape}, run {run.shape} and heat {heat.shape} do not fit")
    out = np.empty((phase.size, DAY_MINUTES))
    _minutes(np.uint64(key), day, shape, phase, run, heat, out)
    return out
