"""Instructions of a process under callgrind: a count has no noise, so that more of them is a change.

The profile's format: https://valgrind.org/docs/manual/cl-format.html
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {
    **{
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    },  # compiled once, not here
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": str(ROOT),
    "PYDANTIC_DISABLE_PLUGINS": "1",  # looking for some takes longer the more packages are installed
}

Counts = dict[str, int]
"""Instructions, by module or by process."""


class CannotCountError(Exception):
    """What went wrong, for a person."""


def profile(arguments: Sequence[str], out: Path, *, fine: Sequence[int] = (0,)) -> str:
    """What callgrind writes of a Python process with these arguments.

    Raises CannotCountError where its exit code is none of `fine`, or nothing is written.
    """
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    if done.returncode not in fine or not out.exists():
        raise CannotCountError(f"valgrind ended with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    return out.read_text()


def total(profile: str) -> int:
    """Instructions of the whole process, in a callgrind profile."""
    found = re.search(r"^totals: (\d+)$", profile, re.MULTILINE)
    if found is None:
        raise CannotCountError("callgrind wrote no totals")
    return int(found[1])


def spent(profile: str) -> Counts:
    """Instructions of the core's own functions in a callgrind profile, without those they call elsewhere.

    A cost line belongs to the latest `ob=`; after `calls=` it is the callee's, seen from the caller. A name is written
    once, as `(7) name`, and `(7)` from then on.
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


_COST = tuple("0123456789+-*")
