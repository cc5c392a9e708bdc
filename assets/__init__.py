"""Assets: what is made. One module a table or group of tables, thin Dagster assets over them, and their checks.

Belongs here: reading a window from the bench, calling kernels, holding the contract. Does not belong here: numbers
themselves (`kernels`), formats and storage (`resources`), when things run (`pipelines`).
"""
