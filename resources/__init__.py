"""Resources: with what. Storage, readers of raw formats, the registry, the rule book, releases, settings.

Belongs here: everything that touches the world outside the process. Does not belong here: dagster and polars pipelines
that make tables (`assets`).

Readers may call kernels: a reader of HJ 212 without its parser would be half a thing. Kernels still know nothing of it.
"""
