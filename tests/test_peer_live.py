"""`decode --format sigrok` beside sigrok-cli itself, byte for byte, on recorded captures and on ones drawn just now.

The goldens say what one sigrok-cli printed once, on captures that everybody has seen. Here the program runs, and the
seeds of the drawn captures are new each time; they stand in the test's name. In CI sigrok-cli must be there; elsewhere
these tests are skipped without it, and pytest's last lines say so.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import needs
import numpy as np
import pytest

from tracecheck.capture.model import Channel
from tracecheck.export.sr import SrWriter
from tracecheck.synth.faults import FAULTS
from tracecheck.synth.scenario import Scenario, Task, record
from tracecheck.synth.script import Message, Transfer

DUMPS = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
MANIFEST: list[dict[str, Any]] = json.loads((DUMPS / "manifest.json").read_text())["captures"]
OURS = [sys.executable, "-c", "import sys; from tracecheck.cli import main; sys.exit(main())"]

pytestmark = needs.sigrok_cli


def said(arguments: list[str]) -> str:
    """What a program prints, which must be all it prints: sigrok-cli exits with 0 on a wrong channel name."""
    done = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stderr) == (0, ""), f"{arguments}: exit {done.returncode}, {done.stderr}"
    return done.stdout


def compare(capture: Path, scl: str, sda: str) -> int:
    """Holds both decodes of a capture together; the number of annotations."""
    lines = f"i2c:scl={scl}:sda={sda}"
    peer = said(["sigrok-cli", "-i", str(capture), "-P", lines, "-A", "i2c", "--protocol-decoder-samplenum"])
    ours = said([*OURS, "decode", str(capture), "--scl", scl, "--sda", sda, "--format", "sigrok"])
    assert ours == peer
    return peer.count("\n")


def drawn_now(count: int) -> list[int]:
    """Seeds that nobody has tried. Workers of one run must agree on the tests' names, so they share the run's id."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
    return np.random.default_rng(list(run.encode())).integers(0, 1 << 32, count).tolist()


SEEDS = drawn_now(6)


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"].removesuffix(".sr"))
def test_recorded_captures(entry: dict[str, Any]) -> None:
    found = compare(DUMPS / entry["file"], entry["scl"]["name"], entry["sda"]["name"])
    assert found == entry["golden_lines"]


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_drawn_transfers(seed: int, tmp_path: Path) -> None:
    """Reads, writes and combined transfers, with a fault in one of them."""
    rng = np.random.default_rng(seed)

    def message(read: bool) -> Message:
        return Message(int(rng.integers(0x08, 0x78)), rng.bytes(int(rng.integers(2, 9))), read=read)

    reads = ((False,), (True,), (False, True))
    transfers = tuple(Transfer(tuple(message(read) for read in reads[int(rng.integers(3))])) for _ in range(8))
    fault = str(rng.choice([name for name in sorted(FAULTS) if not name.startswith("cut")]))
    speed = int(rng.choice([100_000, 400_000, 1_000_000]))
    path = tmp_path / "drawn.sr"
    record(Scenario((Task(transfers, scl_hz=speed),), seed=seed, fault=fault, at=3)).write(path, "for the peer")
    assert compare(path, "SCL", "SDA") > 8 * 10


@pytest.mark.parametrize("seed", SEEDS[4:])
def test_drawn_noise(seed: int, tmp_path: Path) -> None:
    """Lines that follow no protocol: START, STOP and clocks anywhere, several changes in one sample."""
    rng = np.random.default_rng(seed)
    words = np.repeat(rng.integers(0, 4, 20_000, dtype=np.uint8), rng.integers(1, 6, 20_000))
    path = tmp_path / "noise.sr"
    with SrWriter(path, rate_hz=24_000_000, channels=[Channel("SCL", 0), Channel("SDA", 1)]) as writer:
        writer.write_samples(words)
    assert compare(path, "SCL", "SDA") > 1000
