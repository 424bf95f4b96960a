"""A capture measured: everything in turn, in every round, so that a machine that slows down slows all alike."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from . import sigrok
from .children import ROOT, Usage, Worker, run
from .imports import imported, modules_of

IN_PROCESS = ("zlib", "libdeflate", "edges", "decode", "tables", "tables+rules", "analyze")
PROCESSES = ("decode process", "analyze process")
SIGROK = "sigrok-cli"
CORES = "tables"
"""The job whose wall time is compared between one core and two."""
LONG = 1_000_000_000
FEW = 3
"""Rounds at most of captures from that many samples on."""
IN_PROCESS_MEMORY = ("tables", "tables+rules", "analyze")
PROCESS_RUNS = 3
PATIENCE_S = 10
"""sigrok-cli is run once where that takes longer."""
FINDINGS = (0, 1)
"""Exit codes of an analysis: a verdict, whichever."""

SMALL = {
    "without findings": ROOT / "captures/sigrok-dumps/i2c-sht21-100khz-read-serial-hold.sr",
    "with findings": ROOT / "captures/synthetic/synthetic-late-wake.sr",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one capture. `cpu`: median seconds of each contender; `runs`: of how many; `cores`: median wall seconds on so
    many cores; `peak`: bytes; `imports`: the peak of a process that imports the same and does nothing; `facts`: what
    the jobs said.
    """

    kind: str
    samples: int
    file_bytes: int
    cpu: dict[str, float]
    runs: dict[str, int]
    cores: dict[int, float] = field(default_factory=dict)
    peak: dict[str, int] = field(default_factory=dict)
    imports: dict[str, int] = field(default_factory=dict)
    facts: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StartUp:
    """Median CPU seconds of whole processes: `import pyarrow`, and analyses of small captures."""

    pyarrow: float
    analyze: dict[str, float]


def measure(kind: str, samples: int, capture: Path, rounds: int, *, with_sigrok: bool) -> Figures:
    """Everything about one capture; sigrok-cli where it is there and wanted."""
    rounds = min(rounds, FEW) if samples >= LONG else rounds
    seconds = _times(capture, rounds, with_sigrok=with_sigrok)
    peaks, imports, facts = _memory(capture)
    for name in (*PROCESSES, SIGROK):
        if name in seconds:
            peaks[name] = max(used.peak for used in seconds[name])
    imports |= {name: imported(_modules(name, kind, capture)) for name in PROCESSES}
    return Figures(
        kind,
        samples,
        capture.stat().st_size,
        {name: median(used.cpu for used in taken) for name, taken in seconds.items()},
        {name: len(taken) for name, taken in seconds.items()},
        _on_cores(capture, rounds),
        peaks,
        imports,
        facts,
    )


def start_up(rounds: int) -> StartUp:
    """How long small captures take from start to exit, beside an import of pyarrow."""
    taken: dict[str, list[float]] = {name: [] for name in ("pyarrow", *SMALL)}
    for counted in [False] + [True] * rounds:  # the first one compiles what was never imported
        each = {"pyarrow": run([sys.executable, "-c", "import pyarrow"])}
        each |= {name: run(_tracecheck("analyze", capture), fine=FINDINGS) for name, capture in SMALL.items()}
        for name, used in each.items():
            taken[name] += [used.cpu] * counted
    found = {name: median(seconds) for name, seconds in taken.items()}
    return StartUp(found.pop("pyarrow"), found)


def _times(capture: Path, rounds: int, *, with_sigrok: bool) -> Mapping[str, list[Usage]]:
    names = [*IN_PROCESS, *PROCESSES, *([SIGROK] if with_sigrok else [])]
    taken: dict[str, list[Usage]] = {name: [] for name in names}
    with Worker(capture) as worker:
        for job in IN_PROCESS:
            worker.run(job)  # imports that wait for use, memory from the kernel, and the page cache
        for number in range(rounds):
            first = number % len(names)  # none always follows the same one
            for name in names[first:] + names[:first]:
                if name in IN_PROCESS:
                    taken[name].append(worker.run(name))
                elif len(taken[name]) < PROCESS_RUNS and (name != SIGROK or _patient(taken[name])):
                    taken[name].append(run(sigrok.command(capture)) if name == SIGROK else _process(name, capture))
    return taken


def _patient(taken: list[Usage]) -> bool:
    return all(used.wall < PATIENCE_S for used in taken)


def _process(name: str, capture: Path) -> Usage:
    return run(_tracecheck(*_arguments(name, capture)), fine=FINDINGS)


def _arguments(name: str, capture: Path) -> list[str | Path]:
    command = name.split(maxsplit=1)[0]
    return [command, capture, *(["--scl", "SCL", "--sda", "SDA"] if command == "decode" else [])]


def _tracecheck(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "tracecheck", *map(str, arguments)]


_known: dict[tuple[str, str], tuple[str, ...]] = {}


def _modules(name: str, kind: str, capture: Path) -> tuple[str, ...]:
    """What the process imports; longer captures of a kind need the same."""
    if (name, kind) not in _known:
        _known[name, kind] = modules_of(list(map(str, _arguments(name, capture))))
    return _known[name, kind]


def _on_cores(capture: Path, rounds: int) -> dict[int, float]:
    """Wall seconds on one core and on two; nothing where there is only one."""
    if len(os.sched_getaffinity(0)) < 2:
        return {}
    taken: dict[int, list[float]] = {1: [], 2: []}
    with Worker(capture, 1) as one, Worker(capture, 2) as two:
        for counted in [False] + [True] * rounds:
            for cores, worker in ((1, one), (2, two)):
                taken[cores] += [worker.run(CORES).wall] * counted
    return {cores: median(walls) for cores, walls in taken.items()}


def _memory(capture: Path) -> tuple[dict[str, int], dict[str, int], dict[str, int | str]]:
    peaks: dict[str, int] = {}
    imports: dict[str, int] = {}
    facts: dict[str, int | str] = {}
    for job in IN_PROCESS_MEMORY:
        with Worker(capture) as worker:
            facts |= worker.run(job).facts
            modules = worker.modules()
        peaks[job], imports[job] = worker.peak, imported(modules)
    return peaks, imports, facts
