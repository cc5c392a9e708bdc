"""Pipelines: when things run. Partitions, the nightly job, schedules, and the command line.

Belongs here: wiring. Does not belong here: how a table is made (`assets`) or a number comes about (`kernels`).
"""
