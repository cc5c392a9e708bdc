"""Benchmarks: `python -m benchmarks` measures on this machine and writes benchmarks/RESULTS.md itself.

Belongs here: timings of the whole way and of its parts, always beside something to compare with in the same run. Does not
belong here: correctness (`tests`).
"""
