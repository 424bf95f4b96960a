"""Starts processes and tells what they took: CPU and wall seconds, and the peak of their memory.

The kernel counts a child's peak from before it became another program, so whoever starts it must be smaller than what
is measured: nothing here imports tracecheck, NumPy or Arrow.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "COLUMNS")},
    "PYTHONPATH": str(ROOT),
    "NO_COLOR": "1",
}


class ChildError(Exception):
    """A process did not do what it was started for; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds; `peak` in bytes, 0 where it was not asked for."""

    cpu: float
    wall: float
    peak: int = 0
    facts: Mapping[str, int | str] = field(default_factory=dict)


def run(command: Sequence[str], *, fine: Sequence[int] = (0,)) -> Usage:
    """A whole process, its output read by nobody. Raises ChildError where its exit code is none of `fine`."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        child = _start(command, said, stdout=subprocess.DEVNULL)
        used = _wait(child, command, said, fine)
        return Usage(used.ru_utime + used.ru_stime, time.perf_counter() - began, _peak(used))


class Worker:
    """A worker process on one capture, ready when its block begins, gone when it ends."""

    def __init__(self, capture: Path, cores: int | None = None) -> None:
        self._command = [sys.executable, "-m", "benchmarks.speed.worker", str(capture)]
        self._command += ["--cores", str(cores)] if cores else []
        self._said: IO[bytes]
        self._child: subprocess.Popen[bytes]
        self.peak = 0
        """Bytes, once the block has ended."""

    def __enter__(self) -> Self:
        self._said = tempfile.TemporaryFile()
        self._child = _start(self._command, self._said, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def run(self, job: str) -> Usage:
        """One job. Raises ChildError where the worker ends instead."""
        return Usage(**self._answer(job))

    def modules(self) -> tuple[str, ...]:
        """What the worker has imported so far."""
        return tuple(self._answer("modules"))

    def _answer(self, job: str) -> Any:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(f"{job}\n".encode())
            self._child.stdin.flush()
            answer = self._child.stdout.readline()
        except BrokenPipeError:
            answer = b""
        if not answer:
            raise ChildError(f"{' '.join(self._command)}: {job}: ended early: {_tail(self._said)}")
        return json.loads(answer)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._said:
            assert self._child.stdin is not None
            assert self._child.stdout is not None
            if error is not None:
                self._child.kill()
            self._child.stdout.close()
            with suppress(BrokenPipeError):  # how it ended has been said
                self._child.stdin.close()
            if error is not None:
                self._child.wait()
            else:
                self.peak = _peak(_wait(self._child, self._command, self._said, (0,)))


def _start(
    command: Sequence[str], said: IO[bytes], *, stdin: int = subprocess.DEVNULL, stdout: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=said, env=ENVIRONMENT, cwd=ROOT)


def _wait(
    child: subprocess.Popen[bytes], command: Sequence[str], said: IO[bytes], fine: Sequence[int]
) -> resource.struct_rusage:
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in fine:
        raise ChildError(f"{' '.join(command)}: exit code {child.returncode}: {_tail(said)}")
    return used


def _peak(used: resource.struct_rusage) -> int:
    return used.ru_maxrss * 1024


def _tail(said: IO[bytes]) -> str:
    said.seek(0)
    return said.read().decode(errors="replace")[-2000:].strip() or "it said nothing"
