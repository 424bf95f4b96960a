"""Where sigrok's decoders are: the folders that libsigrokdecode looks into, then Python packages that announce some."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tracecheck.errors import ExtraError, UsageError, did_you_mean

EXTRA: Final = "sigrok"
_GROUP: Final = "pysigrok.decoders"


@dataclass(frozen=True, slots=True)
class Place:
    """How a decoder is imported: `module`, after `folder` was put on the path (where there is one)."""

    module: str
    folder: str | None


def decoder_folders() -> list[Path]:
    """Folders as libsigrokdecode searches them: SIGROKDECODE_DIR, the user's, then the system's."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    shared = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    own = os.environ.get("SIGROKDECODE_DIR")
    folders = [Path(own)] if own else []
    return folders + [Path(data) / "libsigrokdecode" / "decoders" for data in (home, *shared) if data]


def decoders() -> dict[str, Place]:
    """Every decoder there is, by its name; of two with one name, the one sigrok-cli would take."""
    found: dict[str, Place] = {}
    for folder in decoder_folders():
        for package in sorted(folder.glob("*/pd.py")):
            found.setdefault(package.parent.name, Place(package.parent.name, str(folder)))
    for name, module in _announced():
        found.setdefault(name, Place(module, None))
    return found


@cache
def _announced() -> tuple[tuple[str, str], ...]:
    # pysigrok announces decoders whether the package that has them is installed or not.
    points = entry_points(group=_GROUP)
    there = {point.module.partition(".")[0]: False for point in points}
    for package in there:
        there[package] = find_spec(package) is not None
    return tuple((point.name, point.module) for point in points if there[point.module.partition(".")[0]])


def find_decoder(name: str, option: str = "--stack") -> Place:
    """Where a decoder is. Raises UsageError where there is none of this name, ExtraError without pysigrok.

    `option`: who asks; "" where the error becomes part of another sentence.
    """
    head = f"{option}: " if option else ""
    if find_spec("sigrokdecode") is None:
        who = option or f'what "{name}" says of the bus'
        runs = "runs sigrok's decoders through pysigrok" if option else "comes from sigrok's decoders through pysigrok"
        raise ExtraError(f"{who} {runs}, which is not installed", EXTRA)
    there = decoders()
    if name in there:
        return there[name]
    if not there:
        reason = f"{head}no decoders of sigrok are installed; on Debian: apt install libsigrokdecode4"
        raise ExtraError(reason, EXTRA)
    hint = did_you_mean(name, list(there)) or f" ({len(there)} there are, in {_where(there)})"
    raise UsageError(f'{head}no decoder "{name}"{" of sigrok" if not option else ""}{hint}')


def _where(there: dict[str, Place]) -> str:
    return ", ".join(
        dict.fromkeys(place.folder or f"package {place.module.partition('.')[0]}" for place in there.values())
    )
