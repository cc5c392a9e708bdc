"""Kernels: how numbers come about. Arrays in, arrays out, compiled with numba.

Belongs here: short pure loops and their thin checked wrappers. Does not belong here: input/output, polars, dagster,
or anything else of the project; a kernel imports kernels only.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path


def _cache_folder() -> Path:
    """Where compiled kernels are kept: a folder named after the content of all of them.

    numba knows a stale cache by the file of the function alone: a kernel that calls one in another file would go on running
    the old one after that file was edited or upgraded.
    """
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for source in sorted(here.glob("*.py")):
        digest.update(source.read_bytes())
    inside = here / "__pycache__"
    writable = os.access(inside if inside.exists() else here, os.W_OK)
    root = inside if writable else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kilnledger"
    return root / f"numba-{digest.hexdigest()[:16]}"


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(_cache_folder())
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]
