"""What a process takes that imports as much as another, and does nothing: memory above that is what its work took."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from .children import ENVIRONMENT, ROOT, ChildError, run

_IMPORT = """\
import contextlib, importlib, sys
for name in sys.argv[1:]:
    with contextlib.suppress(Exception):
        importlib.import_module(name)
"""
_MODULES = """\
import json, sys
from tracecheck.cli import main
main()
print(json.dumps(sorted(sys.modules.keys() - {"__main__"})), file=sys.stderr)
"""


@cache
def imported(modules: tuple[str, ...]) -> int:
    """The peak of a process that only imports these, in bytes."""
    return run([sys.executable, "-c", _IMPORT, *modules]).peak


def modules_of(arguments: Sequence[str]) -> tuple[str, ...]:
    """What the command line has imported at its end."""
    command = [sys.executable, "-c", _MODULES, *arguments]
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=ROOT, check=False
    )
    if done.returncode:
        raise ChildError(f"tracecheck {' '.join(arguments)}: {done.stderr[-2000:]}")
    return tuple(json.loads(done.stderr.splitlines()[-1]))
