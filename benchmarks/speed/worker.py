"""A process that runs jobs on one capture, and times them from inside: its start and its imports do not count.

    python -m benchmarks.speed.worker CAPTURE [--cores N]

Reads the name of a job a line from standard input, runs it, and answers with a line of JSON: CPU and wall seconds, and
what the job says; to `modules` with what is imported by then. With `--cores` it keeps to so many of the cores it may
use.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", type=Path)
    parser.add_argument("--cores", type=int)
    wanted = parser.parse_args()
    if wanted.cores:  # before anything is imported that counts the cores, or starts a thread
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: wanted.cores])
    from .jobs import JOBS  # noqa: PLC0415

    for line in sys.stdin:
        if line.strip() == "modules":
            print(json.dumps(sorted(sys.modules.keys() - {"__main__"})), flush=True)
            continue
        job = JOBS[line.strip()]
        gc.collect()  # what the job before left is not this one's to clear away
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        facts = job(wanted.capture)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(json.dumps({"cpu": cpu, "wall": wall, "facts": facts or {}}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
