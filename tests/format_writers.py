"""Captures written in formats that only other programs write: what the readers are tried on."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tracecheck.capture.model import Capture


def samples_of(capture: Capture) -> np.ndarray:
    """Every sample, one uint8 or wider each."""
    parts = []
    for block in capture.edges([c.bit for c in capture.channels]):
        states = np.concatenate([[block.initial], block.words]).astype(np.uint64)
        bounds = np.concatenate([[block.begin], block.at, [block.end]])
        parts.append(np.repeat(states, np.diff(bounds)))
    return np.concatenate(parts)


def changes_of(capture: Capture) -> tuple[np.ndarray, np.ndarray]:
    """(samples, words) of the first sample and of every change."""
    samples = samples_of(capture)
    at = np.concatenate([[0], np.flatnonzero(np.diff(samples)) + 1])
    return at, samples[at]


def levels(capture: Capture, words: np.ndarray) -> list[list[int]]:
    """A row of 0 and 1 for each word, a column for each channel."""
    return np.stack([(words >> np.uint64(c.bit)) & np.uint64(1) for c in capture.channels], 1).tolist()


def saleae_csv(capture: Capture, path: Path, *, separator: str = ",", comma: bool = False, start: float = 0.0) -> None:
    """As Logic 2 exports raw data: a row a change, seconds with nine decimals."""
    assert capture.rate_hz
    at, words = changes_of(capture)
    lines = [separator.join(["Time [s]", *(c.name for c in capture.channels)])]
    for sample, row in zip(at.tolist(), levels(capture, words), strict=True):
        time = f"{start + sample / capture.rate_hz:.9f}"
        lines.append(separator.join([time.replace(".", ",") if comma else time, *map(str, row)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def saleae_binary(capture: Capture, folder: Path, *, begin: float = -0.5) -> list[Path]:
    """As Logic 2 exports binary data: `digital_N.bin` for each channel. Returns the files."""
    assert capture.rate_hz
    samples = samples_of(capture)
    files = []
    for number, channel in enumerate(capture.channels):
        level = (samples >> np.uint64(channel.bit)) & np.uint64(1)
        times = begin + (np.flatnonzero(np.diff(level)) + 1) / capture.rate_hz
        files.append(folder / f"digital_{number}.bin")
        files[-1].write_bytes(binary(int(level[0]), begin, begin + len(samples) / capture.rate_hz, times.tolist()))
    return files


def binary_in_chunks(chunks: Sequence[tuple[int, float, float, Sequence[float]]], *, count: int | None = None) -> bytes:
    """One channel's file in version 1: state, begin, end and transitions of each chunk."""
    head = struct.pack("<8siiQ", b"<SALEAE>", 1, 0, len(chunks) if count is None else count)
    parts = [struct.pack("<IdddQ", s, 24e6, b, e, len(t)) + np.array(t, "<f8").tobytes() for s, b, e, t in chunks]
    return head + b"".join(parts)


def binary(
    initial: int,
    begin: float,
    end: float,
    times: Sequence[float],
    *,
    version: int = 0,
    kind: int = 0,
    count: int | None = None,
) -> bytes:
    """One channel's file."""
    declared = len(times) if count is None else count
    head = struct.pack("<8siiIddQ", b"<SALEAE>", version, kind, initial, begin, end, declared)
    return head + np.array(times, "<f8").tobytes()
