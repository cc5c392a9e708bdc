"""Kernels: how numbers come about. Arrays in, arrays out, compiled with numba.

Belongs here: short pure loops and their thin checked wrappers. Does not belong here: input/output, polars, dagster,
or anything else of the project; a kernel imports kernels only.
"""
