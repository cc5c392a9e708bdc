"""Captures cut into blocks: the same batches whatever the block size, the number of threads, or the damage."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from resources.captures import Capture
from resources.factors_hj212 import channel_codes
from resources.hj212_reader import Devices, Reader
from resources.registry import Registry
from resources.storage import open_storage
from tests.fuzz_reader import damaged, sample_stream
from tests.homes import DEVICES, LINES, OUTLETS, PLANTS, device, outlet

if TYPE_CHECKING:
    from pathlib import Path

WINDOW = (date(2014, 1, 1), date(2100, 1, 1))


@pytest.fixture(scope="module")
def devices() -> Devices:
    texts = {
        "plants.csv": PLANTS,
        "lines.csv": LINES,
        "outlets.csv": OUTLETS + outlet(),
        "devices.csv": DEVICES + device(),
    }
    return Devices(Registry.from_tables(texts).devices)


def read(folder: Path, devices: Devices, block_bytes: int, threads: int) -> dict[str, Any]:
    """Everything of a capture put together, batches forgotten."""
    capture = Capture(open_storage(str(folder)), "a.txt", block_bytes=block_bytes)
    batches = list(Reader(devices, channel_codes(), WINDOW, threads).read(capture, lambda b: b))
    cells = [
        (int(b.offset[r]), *c)
        for b in batches if b.cells is not None
        for r, *c in zip(b.cells.row, b.cells.reason.to_pylist(), b.cells.name.to_pylist(), b.cells.text.to_pylist(), strict=True)
    ]  # fmt: skip
    slots = sorted({s for b in batches for s in b.values})
    values = [np.concatenate([b.values.get(s, np.full(b.rows, np.nan)) for b in batches]).tobytes() for s in slots]
    return {
        "bytes": (sum(b.accepted_bytes for b in batches), sum(b.noise_bytes for b in batches)),
        "other": sum(b.frames_other for b in batches),
        "offset": np.concatenate([b.offset for b in batches]).tolist(),
        "time": np.concatenate([b.time for b in batches]).tolist(),
        "refused": [(r.reason, r.offset, r.content, r.mn, r.cn, r.time, r.filed) for b in batches for r in b.refused],
        "cells": cells, "slots": slots, "values": values, "sha256": capture.sha256, "text_bytes": capture.text_bytes,
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_blocks_and_threads_do_not_show(tmp_path: Path, devices: Devices, seed: int) -> None:
    rng = np.random.default_rng(seed)
    raw = damaged(sample_stream(rng, 900), rng, 120)
    (tmp_path / "a.txt").write_bytes(raw)
    whole = read(tmp_path, devices, 8 << 20, 1)
    assert whole["sha256"] == hashlib.sha256(raw).hexdigest()
    assert whole["text_bytes"] == len(raw) == sum(whole["bytes"]) + sum(len(r[2]) for r in whole["refused"])
    assert len(whole["offset"]) > 200
    assert len({r[0] for r in whole["refused"]}) >= 3
    for block_bytes, threads in ((50_000, 1), (41_000, 3), (77_777, 2)):
        assert read(tmp_path, devices, block_bytes, threads) == whole


def test_a_capture_without_line_breaks_is_read_in_blocks_too(tmp_path: Path, devices: Devices) -> None:
    rng = np.random.default_rng(1)
    raw = sample_stream(rng, 600).replace(b"\r\n", b"")
    (tmp_path / "a.txt").write_bytes(raw)
    assert read(tmp_path, devices, 45_000, 2) == read(tmp_path, devices, 8 << 20, 1)


def test_an_empty_capture_is_nothing(tmp_path: Path, devices: Devices) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    capture = Capture(open_storage(str(tmp_path)), "a.txt")
    assert [b.rows for b in Reader(devices, channel_codes(), WINDOW).read(capture, lambda b: b)] == []
    assert capture.text_bytes == 0
