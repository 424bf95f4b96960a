"""How fast tracecheck decodes, beside inflating the same file and beside sigrok-cli. Prints a table; --write keeps it.

For each kind of capture (benchmarks/captures.py) the CPU time, user and system, of

- zlib inflating the file's members in windows of 256 KiB, in this process: the floor for a plain reader;
- `tracecheck.decode`, all tables but the timeline, in this process;
- `tracecheck decode --table transfers` as a whole process, with the interpreter's start and the imports;
- `sigrok-cli -A i2c` as a whole process, where it is installed.

Medians of three runs of one session. The rounds are interleaved, so that a machine that slows down slows all alike. CPU
time of both threads counts where more than one works.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median

from captures import KINDS, cached

import tracecheck

WINDOW = 256 * 1024
ROUNDS = 3
FOOTNOTE = """\
CPU time, user and system together; medians of {rounds} interleaved runs; M/s are millions of samples a second. The
captures are synthetic (`benchmarks/captures.py`). Made by `make bench`."""

Job = Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Contender:
    """What is timed; `who` is whose CPU time counts: this process's or that of children it waited for."""

    name: str
    who: int
    job: Job

    def seconds(self, capture: Path) -> float:
        before = resource.getrusage(self.who)
        self.job(capture)
        after = resource.getrusage(self.who)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def inflate(capture: Path) -> None:
    """Inflates each sample member with zlib, as deflated in the file, and lets the samples go."""
    with zipfile.ZipFile(capture) as archive, capture.open("rb") as raw:
        for member in archive.infolist():
            if not member.filename.startswith("logic-1"):
                continue
            raw.seek(member.header_offset + 26)
            name, extra = (int.from_bytes(raw.read(2), "little") for _ in range(2))
            raw.seek(name + extra, os.SEEK_CUR)
            left, stream = member.compress_size, zlib.decompressobj(-15)
            while left:
                data = raw.read(min(left, 64 * 1024))
                left -= len(data)
                while data:
                    stream.decompress(data, WINDOW)
                    data = stream.unconsumed_tail


def decode(capture: Path) -> None:
    trace = tracecheck.decode(capture, "SCL", "SDA")
    for table in ("bytes", "messages", "transfers", "markers", "anomalies", "stretches"):
        assert getattr(trace, table) is not None


def run(*arguments: str) -> None:
    subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)


def decode_process(capture: Path) -> None:
    command = "import sys; from tracecheck.cli import main; sys.exit(main())"
    lines = ("--scl", "SCL", "--sda", "SDA")
    run(sys.executable, "-c", command, "decode", str(capture), "--table", "transfers", "--format", "csv", *lines)


def sigrok(capture: Path) -> None:
    run("sigrok-cli", "-i", str(capture), "-P", "i2c:scl=SCL:sda=SDA", "-A", "i2c")


def contenders() -> list[Contender]:
    found = [
        Contender("zlib inflate", resource.RUSAGE_SELF, inflate),
        Contender("tracecheck.decode", resource.RUSAGE_SELF, decode),
        Contender("tracecheck decode (process)", resource.RUSAGE_CHILDREN, decode_process),
    ]
    if shutil.which("sigrok-cli"):
        found.append(Contender("sigrok-cli (process)", resource.RUSAGE_CHILDREN, sigrok))
    else:
        print("sigrok-cli is not installed: measured without it", file=sys.stderr)
    return found


def measure(capture: Path, rounds: int) -> dict[str, float]:
    """Median CPU seconds of each contender."""
    field = contenders()
    inflate(capture)
    decode(capture)  # imports and the page cache are not what is measured
    taken = [{contender.name: contender.seconds(capture) for contender in field} for _ in range(rounds)]
    return {contender.name: median(each[contender.name] for each in taken) for contender in field}


def table(figures: dict[str, dict[str, float]], samples: int) -> str:
    lines = [
        "| capture | | CPU s | M/s | against zlib | against sigrok-cli |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for kind, seconds in figures.items():
        peer = seconds.get("sigrok-cli (process)")
        for name, took in seconds.items():
            faster = f"{peer / took:.0f}x faster" if peer and name.startswith("tracecheck") else ""
            of_zlib = f"{took / seconds['zlib inflate']:.2f}"
            lines.append(f"| {kind} | {name} | {took:.3f} | {samples / took / 1e6:.0f} | {of_zlib} | {faster} |")
    return "\n".join(lines)


def processor() -> str:
    """The processor's name as Linux gives it, else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def machine() -> str:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "pyarrow"))
    return (
        f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, zlib {zlib.ZLIB_RUNTIME_VERSION}, {versions}, "
        f"tracecheck {tracecheck.__version__}"
    )


def page(figures: dict[str, dict[str, float]], samples: int, rounds: int) -> str:
    what = f"Captures of {samples / 1e6:g} million samples at 24 MS/s."
    return f"# Speed\n\n{what}\n\n{table(figures, samples)}\n\n{FOOTNOTE.format(rounds=rounds)}\n\n{machine()}.\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", action="append", choices=KINDS, help="repeatable; default: all")
    parser.add_argument("--samples", type=int, default=100_000_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--keep", type=Path, help="a folder for the captures, to measure again without making them")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there too")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = wanted.keep or Path(scratch)
        figures = {}
        for kind in wanted.kind or KINDS:
            print(f"{kind} ...", file=sys.stderr)
            figures[kind] = measure(cached(folder, kind, wanted.samples), wanted.rounds)
    text = page(figures, wanted.samples, wanted.rounds)
    print(text, end="")
    if wanted.write:
        wanted.write.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
