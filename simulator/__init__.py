"""Synthetic landing zones: invented plants, their captures, events and ledgers with the dirt of real ones, and the truth beside them.

Belongs here: everything simulated. Does not belong here: reading what was written (`resources`) and the command line (`pipelines`).
Every value and plant is invented; no simulated figure is tied to a real plant.
"""

from __future__ import annotations

from simulator.dirt import Dirt
from simulator.run import Simulation, simulate
from simulator.truth import truth_minutes

__all__ = ["Dirt", "Simulation", "simulate", "truth_minutes"]
