"""`tracecheck decode --table`: what needs pyarrow, written while it is decoded."""

from __future__ import annotations

from pathlib import PurePath

import pyarrow as pa

from tracecheck.capture.model import Capture
from tracecheck.cli.console import Output
from tracecheck.cli.pins import Pins
from tracecheck.cli.progress import Progress
from tracecheck.decoding.wiring import Wiring
from tracecheck.export.tables import WRITERS
from tracecheck.streamed import decodes, streamed


def write_table(capture: Capture, pins: Pins, wiring: Wiring, table: str, kind: str, out: Output) -> None:
    """Writes a table while it is decoded."""
    # Arrow's own pool gives memory back late, and so grows with a long capture.
    pa.set_memory_pool(pa.system_memory_pool())
    with Progress(f"decoding {PurePath(capture.path).name}", capture.samples * decodes(wiring, table)) as progress:
        found = streamed(capture, wiring, table, settle=pins.settle(capture), glitch_s=pins.glitch_s, progress=progress)
        WRITERS[kind](found, out)
