"""How fast each format is read to blocks of edges: CPU time, edges and bytes a second.

    python benchmarks/formats.py [--write docs/formats.md] [--repeat 200]

One synthetic capture, repeated, is written in every format that can be written here, and read back. Medians of three.
"""

from __future__ import annotations

import argparse
import gzip
import math
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from format_writers import saleae_binary, saleae_csv, samples_of

import tracecheck
from tracecheck.capture.memory import ArrayCapture
from tracecheck.capture.model import Capture
from tracecheck.export.sr import write_sr
from tracecheck.export.vcd import write_vcd

SOURCE = Path(__file__).parent.parent / "captures/synthetic/synthetic-late-wake.sr"
MARKS = ("<!-- speed of the formats -->", "<!-- end of the speed of the formats -->")
RUNS = 3


def written(capture: Capture, folder: Path) -> dict[str, tuple[Path, dict[str, int]]]:
    """The capture in each format: its file, and what has to be said to read it."""
    bits = [channel.bit for channel in capture.channels]
    rate = {"rate_hz": capture.rate_hz or 1}
    write_sr(folder / "x.sr", capture.edges(bits), rate_hz=capture.rate_hz, channels=capture.channels)
    with (folder / "x.vcd").open("wb") as file:
        write_vcd(file, capture)
    (folder / "x.vcd.gz").write_bytes(gzip.compress((folder / "x.vcd").read_bytes()))
    saleae_csv(capture, folder / "x.csv")
    if shutil.which("vcd2fst"):
        command = ["vcd2fst", "-v", str(folder / "x.vcd"), "-f", str(folder / "x.fst")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (folder / "x.bin").write_bytes(samples_of(capture).astype(np.uint8).tobytes())
    found: dict[str, tuple[Path, dict[str, int]]] = {
        "sigrok session": (folder / "x.sr", {}),
        "raw binary": (folder / "x.bin", {**rate, "unitsize": 1}),
        "VCD": (folder / "x.vcd", rate),
        "VCD in gzip": (folder / "x.vcd.gz", rate),
        "FST": (folder / "x.fst", rate),
        "CSV, a row a change": (folder / "x.csv", rate),
        "Saleae's binary export": (saleae_binary(capture, folder)[0], rate),
    }
    missing = [form for form, (path, _) in found.items() if not path.exists()]
    if missing:
        print(f"not measured: {', '.join(missing)} (vcd2fst is not installed: apt install gtkwave)", file=sys.stderr)
    return {form: what for form, what in found.items() if form not in missing}


def edges_in(path: Path, said: dict[str, int]) -> int:
    """Reads the file to its end."""
    capture = tracecheck.open(path, **said)
    return sum(len(block.at) for block in capture.edges([c.bit for c in capture.channels if c.bit < 5]))


def cpu(work: Callable[[], int]) -> tuple[float, int]:
    """Median CPU seconds of three runs, and what they returned."""
    seconds, found = [], 0
    for _ in range(RUNS):
        begin = resource.getrusage(resource.RUSAGE_SELF)
        found = work()
        end = resource.getrusage(resource.RUSAGE_SELF)
        seconds.append(end.ru_utime - begin.ru_utime + end.ru_stime - begin.ru_stime)
    return statistics.median(seconds), found


def rounded(value: float) -> str:
    """Two digits or more, however small: `0.015`, `4.5`, `5885`."""
    decimals = max(1 - math.floor(math.log10(value)), 0) if value > 0 else 0
    return f"{value:.{decimals}f}"


def table(repeat: int) -> str:
    """The measurements as Markdown."""
    source = tracecheck.open(SOURCE)
    samples = np.tile(samples_of(source).astype(np.uint8), repeat)
    capture = ArrayCapture(samples, source.rate_hz, [c.name for c in source.channels])
    rows = ["| format | MB | CPU s | M edges/s | MB/s |", "| --- | ---: | ---: | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as name:
        for form, (path, said) in written(capture, Path(name)).items():
            seconds, edges = cpu(lambda path=path, said=said: edges_in(path, said))  # type: ignore[misc]
            size = sum(f.stat().st_size for f in Path(name).glob("digital_*.bin")) if "digital" in path.name else 0
            size = size or path.stat().st_size
            cells = (
                rounded(size / 1e6),
                f"{seconds:.2f}",
                f"{edges / seconds / 1e6:.2f}",
                rounded(size / seconds / 1e6),
            )
            rows.append(f"| {form} | {' | '.join(cells)} |")
    head = (
        f"One bus with three markers, {edges / 1e6:.2f} M edges in {len(samples) / 1e6:.0f} M samples, read to blocks "
        f"of edges; CPU time, median of {RUNS} runs on {time.strftime('%Y-%m-%d')}. Made by `benchmarks/formats.py`."
    )
    return "\n".join([head, "", *rows])


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--write", type=Path)
    arguments.add_argument("--repeat", type=int, default=200)
    given = arguments.parse_args()
    text = table(given.repeat)
    print(text)
    if given.write:
        before, _, rest = given.write.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        given.write.write_text(f"{before}{MARKS[0]}\n\n{text}\n\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
