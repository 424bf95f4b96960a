"""Measures tracecheck beside zlib, libdeflate and sigrok-cli, and says which targets are reached.

    python -m benchmarks.speed [--quick] [--sizes 10M 100M 1G] [--kinds b400k30 giant] [--write docs/benchmarks.md]

Prints the page; --write keeps it, with its plot beside it. Captures are made in --cache and kept there. Exit codes: 0
measured, whatever the targets say; 2 could not measure (all of it), and nothing was written.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from . import session, sigrok
from .children import ENVIRONMENT, ROOT, ChildError
from .kinds import KINDS
from .page import Run, page, verdicts
from .session import FEW, LONG, Figures
from .targets import LONG_KINDS

SIZES = ("10M", "100M", "1G")
ROUNDS = 5
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tracecheck-benchmarks"


def count(text: str) -> int:
    """Samples as written: 500000, 10M, 1G."""
    factor = {"k": 10**3, "M": 10**6, "G": 10**9}.get(text[-1:], 1)
    try:
        found = int(float(text[:-1]) * factor) if factor > 1 else int(text)
    except ValueError:
        found = 0
    if found <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of samples; write 500000, 10M or 1G")
    return found


def capture(folder: Path, kind: str, samples: int) -> Path:
    """The capture, made by a process of its own, as what makes it is large."""
    command = [sys.executable, str(ROOT / "benchmarks" / "captures.py"), str(folder), "--kind", kind]
    done = subprocess.run(
        [*command, "--samples", str(samples), "--path-only"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    if done.returncode:
        raise ChildError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return Path(done.stdout.strip())


def measured(wanted: argparse.Namespace) -> tuple[Run, bool]:
    """What was measured, and whether a capture could not be."""
    version = sigrok.version()
    if version is None:
        print("sigrok-cli is not installed: measured without it", file=sys.stderr)
    rounds = wanted.rounds or (FEW if wanted.quick else ROUNDS)
    start_up = session.start_up(rounds)
    found: list[Figures] = []
    failed = False
    for samples in wanted.sizes:
        for kind in wanted.kinds or (LONG_KINDS if samples >= LONG else KINDS):
            began = time.monotonic()
            try:
                path = capture(wanted.cache.resolve(), kind, samples)
                found.append(session.measure(kind, samples, path, rounds, with_sigrok=version is not None))
            except ChildError as error:  # what the others say is worth having
                print(f"benchmarks.speed: {kind}, {samples:,} samples: {error}", file=sys.stderr)
                failed = True
                continue
            print(f"{kind}, {samples:,} samples: measured in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return Run(found, start_up, rounds, version, machine(), time.strftime("%Y-%m-%d")), failed


def machine() -> str:
    """Asked of a process of its own, as it imports what is measured."""
    command = [sys.executable, "-c", "from benchmarks.machine import machine; print(machine())"]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="short captures in few rounds: no target is about them")
    parser.add_argument(
        "--sizes", type=count, nargs="+", help=f"samples (default {' '.join(SIZES)}; quick: {SIZES[0]})"
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=KINDS, help=f"default: all, and of 1G and more {', '.join(LONG_KINDS)}"
    )
    parser.add_argument("--rounds", type=int, help=f"default {ROUNDS}; {FEW} with --quick, and {FEW} at most of 1G")
    parser.add_argument("--cache", type=Path, default=CACHE, help=f"where captures are kept (default {CACHE})")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="write the page there, its plot beside it")
    wanted = parser.parse_args()
    wanted.sizes = wanted.sizes or [count(size) for size in (SIZES[:1] if wanted.quick else SIZES)]
    if wanted.rounds is not None and wanted.rounds < 1:
        parser.error("--rounds: at least one")
    try:
        run, failed = measured(wanted)
    except (ChildError, OSError) as error:
        print(f"benchmarks.speed: {error}", file=sys.stderr)
        return 2
    target = wanted.write or Path("benchmarks.md")
    text = page(run, f"{target.stem}.svg")
    print(text, end="")
    if wanted.write and not failed:
        from .plot import draw  # noqa: PLC0415  (large, and of no use before)

        draw(run.captures, target.with_suffix(".svg"))
        target.write_text(text, encoding="utf-8")
    print(verdicts(run), file=sys.stderr)
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
