"""Has decoding become slower? Instructions under callgrind, counted: a count has no noise, so more of them is a change.

    python benchmarks/guard.py [--update]

Some committed captures are decoded N times and 2 N times, each in one process under valgrind; the difference is N
decodes, without the interpreter's start and the imports. Only instructions in the functions of the compiled core count,
module by module, so that the interpreter and its libraries do not matter. The core's compiler and what the processor
can do (libdeflate looks) do; they are kept with the baseline, benchmarks/guard.json. Exit codes:

0   as the baseline, or lower
1   a module is above it by more than 2 %
2   could not count
3   not run: another compiler or processor than the baseline's, or no valgrind
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BASELINE = Path(__file__).with_suffix(".json")
CAPTURES = (
    "captures/synthetic/synthetic-late-wake.sr",
    "captures/pico/pico-clean-mixed-two-pin.sr",
    "captures/sigrok-dumps/i2c-sht21-100khz-read-serial-hold.sr",
)
"""Committed ones, synthetic, emulated and real."""
DECODES = 10
TOLERANCE = 0.02
NOT_RUN = 3
FEATURES = ("pclmulqdq", "avx", "avx2", "bmi2")
"""Of the processor, that the core chooses its code by and that valgrind passes on."""
DECODE = """\
import sys
from tracecheck.api import open
from tracecheck.decoding.find import wire
from tracecheck.decoding.stream import decode_capture
for path in sys.argv[2:]:
    capture = open(path)
    wiring = wire(capture, [], [])
    for _ in range(int(sys.argv[1])):
        for batch in decode_capture(capture, wiring):
            pass
"""

Counts = dict[str, int]
"""Instructions, module by module."""


class CannotCountError(Exception):
    """What went wrong, for a person."""


def circumstances() -> dict[str, str]:
    """What a count depends on beside the sources; the compiler as the core itself names it."""
    core = next((ROOT / "tracecheck").glob("_i2c.*.so"), None)
    if core is None:
        raise CannotCountError("no compiled core; build it with: make build")
    found = re.search(rb"GCC: \([^)]*\) [0-9.]+|clang version [0-9.]+", core.read_bytes())
    cpuinfo = Path("/proc/cpuinfo")
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    has = flags[1].split() if flags else []
    return {
        "compiler": found[0].decode() if found else "unknown",
        "processor": " ".join((platform.machine(), *(feature for feature in FEATURES if feature in has))),
    }


def spent(profile: str) -> Counts:
    """Instructions of the core's own functions in a callgrind profile, without those they call elsewhere.

    A cost line belongs to the latest `ob=`; after `calls=` it is the callee's, seen from the caller. A name is written
    once, as `(7) name`, and `(7)` from then on. The format: https://valgrind.org/docs/manual/cl-format.html
    """
    names: dict[str, str] = {}
    counts: Counts = {}
    module: str | None = None
    of_call = False
    for line in profile.splitlines():
        if line.startswith(("ob=", "cob=")):
            key, _, value = line.partition("=")
            number, _, name = value.partition(" ")
            names[number] = name or names[number]
            if key == "ob":
                core = re.search(r"/tracecheck/(_\w+)\.[^/]*so$", names[number])
                module = core[1] if core else None
        elif line.startswith("calls="):
            of_call = True
        elif line.startswith(_COST):
            if module is not None and not of_call:
                counts[module] = counts.get(module, 0) + int(line.split()[1])
            of_call = False
    return counts


_COST = tuple("0123456789+-*")


def instructions(decodes: int, folder: Path) -> Counts:
    """Of one process that decodes each capture so many times."""
    out = folder / f"{decodes}.callgrind"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, "-c", DECODE]
    command += [str(decodes), *(str(ROOT / capture) for capture in CAPTURES)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode or not out.exists():
        raise CannotCountError(f"valgrind ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    return spent(out.read_text())


def counted() -> Counts:
    """Of decoding each capture once."""
    with tempfile.TemporaryDirectory() as name:
        few, many = (instructions(n, Path(name)) for n in (DECODES, 2 * DECODES))
    found = {module: (many[module] - few.get(module, 0)) // DECODES for module in sorted(many)}
    found = {module: n for module, n in found.items() if n > 0}  # the others are loaded and not run
    if not found:
        raise CannotCountError("no instruction of the core was seen")
    return found


def judged(now: int, before: int) -> tuple[bool, str]:
    """Whether it may pass, and the change in words."""
    change = (now - before) / before
    if change > TOLERANCE:
        return False, f"{change:+.2%}: slower; find the cause, or say why and update the baseline (--update)"
    if change < -TOLERANCE:
        return True, f"{change:+.2%}: faster; update the baseline (--update), so that this is held too"
    return True, f"{change:+.2%}"


def compared(baseline: dict[str, Any], here: dict[str, str]) -> int:
    """Prints a line a module; the exit code."""
    for what, value in here.items():
        if value != baseline[what]:
            print(f"NOT RUN: the baseline's {what} is {baseline[what]}, here it is {value}")
            print("to compare two states of the sources here: --update on the first, then without on the second")
            return NOT_RUN
    now, before = counted(), baseline["instructions"]
    if now.keys() != before.keys():
        raise CannotCountError(f"decoding runs {', '.join(now)}, the baseline has {', '.join(before)}; --update it")
    passed = True
    for module, count in now.items():
        fine, said = judged(count, before[module])
        passed &= fine
        print(f"{'pass' if fine else 'FAIL'}  {module:9} {count:12,} instructions, {before[module]:12,} before, {said}")
    return 0 if passed else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help=f"write {BASELINE.name} instead of comparing with it")
    wanted = parser.parse_args()
    try:
        if shutil.which("valgrind") is None:
            print("NOT RUN: valgrind is not installed: apt install valgrind")
            return NOT_RUN
        if not wanted.update:
            return compared(json.loads(BASELINE.read_text()), circumstances())
        found = {**circumstances(), "python": platform.python_version(), "instructions": counted()}
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
        print(BASELINE.read_text(), end="")
    except (CannotCountError, OSError, ValueError, KeyError) as error:
        print(f"guard: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
