"""Peer mode: what libsigrokdecode 0.5.3's I2C decoder says, annotation by annotation, in its order.

It exists to prove the core against another program on real captures, and to feed tools that expect that program's
text. It shares nothing with the strict decoder but the scanner.
"""

from collections.abc import Iterator

from tracecheck import _peer
from tracecheck.capture.model import Capture
from tracecheck.decoding.rows import PEER_LAYOUT, Columns, allocate

BUFFER_ROWS = 1 << 16

TEXTS: tuple[str, ...] = (
    "Start",
    "Start repeat",
    "Stop",
    "ACK",
    "NACK",
    "{bit}",
    "Address read: {value:02X}",
    "Address write: {value:02X}",
    "Data read: {value:02X}",
    "Data write: {value:02X}",
    "",
    "{rw}",
)
"""Text of each annotation kind; kind 10 (warnings) is never emitted, 11 is the R/W bit."""


def annotations(capture: Capture, scl: int, sda: int) -> Iterator[Columns]:
    """The annotations of one bus, in pieces: columns `start`, `end`, `kind`, `value`."""
    buffers = allocate(PEER_LAYOUT, BUFFER_ROWS)
    columns = buffers["annotations"]
    core = _peer.PeerDecoder(scl, sda)
    core.bind(buffers)

    def take() -> Columns:
        n = int(core.counts[0])
        taken = {name: column[:n].copy() for name, column in columns.items()}
        core.bind(buffers)
        return taken

    for block in capture.edges([scl, sda]):
        done = core.feed(block.at, block.words, 0, block.initial, block.end)
        while not core.done:
            yield take()
            done = core.feed(block.at, block.words, done, block.initial, block.end)
        if core.counts[0] > BUFFER_ROWS // 2:
            yield take()
    if core.counts[0]:
        yield take()


def lines(columns: Columns, name: str = "i2c-1") -> Iterator[str]:
    """`START-END i2c-1: TEXT`, as `sigrok-cli -A i2c --protocol-decoder-samplenum` prints it, without line ends."""
    bits = ("0", "1")
    rows = zip(
        columns["start"].tolist(),
        columns["end"].tolist(),
        columns["kind"].tolist(),
        columns["value"].tolist(),
        strict=True,
    )
    for start, end, kind, value in rows:
        if kind == 5:
            text = bits[value]
        elif kind == 11:
            text = "Read" if value else "Write"
        else:
            text = TEXTS[kind].format(value=value)
        yield f"{start}-{end} {name}: {text}"
