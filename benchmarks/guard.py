"""Has decoding become slower, or the start? Instructions under callgrind, counted (callgrind.py).

    python benchmarks/guard.py [--update]

Some committed captures are decoded N times and 2 N times, each in one process under valgrind; the difference is N
decodes, without the interpreter's start and the imports. Only instructions in the functions of the compiled core count,
module by module, so that the interpreter and its libraries do not matter. The core's compiler and what the processor
can do (libdeflate looks) do; they are kept with the baseline, benchmarks/guard.json. Whole analyses of small captures
are counted beside that (start_up.py), as they are little more than start. Exit codes:

0   as the baseline, or lower
1   a module, or a start, is above it by more than 2 %
2   could not count
3   not run, all or a part: another compiler, processor or Python than the baseline's, or no valgrind
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import start_up
from benchmarks.callgrind import ROOT, CannotCountError, Counts, profile, spent

BASELINE = Path(__file__).with_suffix(".json")
CAPTURES = (
    "captures/synthetic/synthetic-late-wake.sr",
    "captures/pico/pico-clean-mixed-two-pin.sr",
    "captures/sigrok-dumps/i2c-sht21-100khz-read-serial-hold.sr",
)
"""Committed ones, synthetic, emulated and real."""
DECODES = 10
TOLERANCE = 0.02
LEAST = 10_000
"""Instructions a decode by which a module is run: some few are spent by what was loaded, when memory is cleared up."""
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


def instructions(decodes: int, folder: Path) -> Counts:
    """Of one process that decodes each capture so many times."""
    paths = [str(ROOT / capture) for capture in CAPTURES]
    return spent(profile(["-c", DECODE, str(decodes), *paths], folder / f"{decodes}.callgrind"))


def counted() -> Counts:
    """Of decoding each capture once."""
    with tempfile.TemporaryDirectory() as name:
        few, many = (instructions(n, Path(name)) for n in (DECODES, 2 * DECODES))
    found = {module: (many[module] - few.get(module, 0)) // DECODES for module in sorted(many)}
    found = {module: n for module, n in found.items() if n >= LEAST}  # the others are loaded and not run
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


def compared(what: str, baseline: dict[str, Any], here: dict[str, str], count: Callable[[], Counts]) -> int:
    """Prints a line for each count; the exit code."""
    for key, value in here.items():
        if value != baseline[key]:
            print(f"NOT RUN: {what}: the baseline's {key} is {baseline[key]}, here it is {value}")
            print("to compare two states of the sources here: --update on the first, then without on the second")
            return NOT_RUN
    now, before = count(), baseline["instructions"]
    if now.keys() != before.keys():
        raise CannotCountError(f"{what} runs {', '.join(now)}, the baseline has {', '.join(before)}; --update it")
    passed = True
    for name, instructions in now.items():
        fine, said = judged(instructions, before[name])
        passed &= fine
        counts = f"{instructions:13,} instructions, {before[name]:13,} before"
        print(f"{'pass' if fine else 'FAIL'}  {what}, {name:16} {counts}, {said}")
    return 0 if passed else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help=f"write {BASELINE.name} instead of comparing with it")
    wanted = parser.parse_args()
    try:
        if shutil.which("valgrind") is None:
            print("NOT RUN: valgrind is not installed: apt install valgrind")
            return NOT_RUN
        here, start = circumstances(), start_up.circumstances()
        if not wanted.update:
            baseline = json.loads(BASELINE.read_text())
            codes = (
                compared("decoding", baseline["decoding"], here, counted),
                compared("start-up", baseline["start-up"], start, start_up.counted),
            )
            return 1 if 1 in codes else max(codes)
        found = {
            "decoding": {**here, "instructions": counted()},
            "start-up": {**start, "instructions": start_up.counted()},
        }
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
        print(BASELINE.read_text(), end="")
    except (CannotCountError, OSError, ValueError, KeyError) as error:
        print(f"guard: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
