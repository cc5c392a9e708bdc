"""Random draws that depend on names only.

Belongs here: the one way to get a generator in this room. Does not belong here: what is drawn.

Every generator is named by the seed, a purpose and the thing it is for (outlet, day ...). So a day can be made without the
days before it, a plant without the plants beside it, and a new kind of draw does not shift the old ones.
"""

from __future__ import annotations

import numpy as np

# Purposes. Numbers are part of the result: append, never renumber.
PLANT = 1
OUTLET = 2
DEVICE = 3
KILN = 4
MILL = 5
PLAN = 6
TRAFFIC = 7
DAMAGE = 8
STACK = 9
ROUTINE = 10
LONG = 11
STATES = 12
MARKS = 13
LEVELS = 14
LEDGER_LINE = 15
LEDGER_MONTH = 16
LEDGER_PLANT = 17
LEDGER_METER = 18
LEDGER_SLIP = 19


def generator(seed: int, purpose: int, *names: int) -> np.random.Generator:
    """A generator for `purpose` and the non-negative integers `names`; equal arguments give equal draws."""
    return np.random.Generator(np.random.PCG64([seed, purpose, *names]))


def key(seed: int, purpose: int, *names: int) -> int:
    """A 64-bit key for kernels that hash by themselves."""
    return int(np.random.SeedSequence([seed, purpose, *names]).generate_state(1, np.uint64)[0])
