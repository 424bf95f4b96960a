"""Streams that the tests of watching share: a real capture as raw samples, cut into pieces."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from format_writers import samples_of

import tracecheck
from tracecheck.capture.model import EdgeBlock
from tracecheck.capture.scan import scan_windows

ROOT = Path(__file__).parent.parent
PICO, SYNTHETIC = ROOT / "captures/pico", ROOT / "captures/synthetic"
HOG = PICO / "pico-hog-executor.sr"
RUN = [sys.executable, "-m", "tracecheck", "watch"]
LINES = ["--unitsize", "1", "--samplerate", "24MHz", "--scl", "1", "--sda", "0"]
LINES += ["--marker", "irq=2", "--marker", "pending=3", "--marker", "run=4"]
WAKE = ["--expect", "irq.begin -> wake < 100us"]


def raw(path: Path) -> bytes:
    return bytes(samples_of(tracecheck.open(path)).astype(np.uint8).tobytes())


def cut(data: bytes, sizes: list[int]) -> Iterator[memoryview]:
    """The data in pieces of these sizes, over and over."""
    at, number = 0, 0
    while at < len(data):
        size = sizes[number % len(sizes)]
        yield memoryview(data[at : at + size])
        at, number = at + size, number + 1


def blocks_of(data: bytes, size: int) -> Iterator[EdgeBlock]:
    return scan_windows(cut(data, [size]), 1, 0xFF, 0, 2**62)
