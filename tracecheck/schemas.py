"""Every Arrow schema of tracecheck, in one place, with units in the names.

Samples (`start`, `stop`, `end`, `at`, `sample`, `begin`) are integers counted from the capture's first sample and are
the truth; `*_ns` columns are derived from them and null where the capture has no samplerate. The names follow the
I2C-bus specification (UM10204): a transfer runs from START to STOP and holds one message per address phase; a message
holds bytes. Keys are ids, never row numbers: (`bus`, `transfer`), then `message`, then `index`.

A null says "not there" (no STOP came, no address was complete), never "zero".
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 1
"""Raised when a column's meaning changes or a column goes; new columns do not raise it."""

_WORD = pa.dictionary(pa.int8(), pa.string())
_NAME = pa.dictionary(pa.int16(), pa.string())


def _schema(table: str, doc: str, *fields: tuple[str, pa.DataType, str]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind, metadata={"doc": text}) for name, kind, text in fields],
        metadata={"tracecheck.table": table, "tracecheck.version": str(VERSION), "doc": doc},
    )


BYTES = _schema(
    "bytes",
    "An address or data byte whose eight bits are there.",
    ("bus", _NAME, "bus name"),
    ("transfer", pa.int64(), "transfer's number on its bus, from 0"),
    ("message", pa.int32(), "message's index in the transfer"),
    ("index", pa.int32(), "byte's index in the message; the address byte is 0"),
    ("kind", _WORD, "address, address-low (second byte of a 10-bit address), data"),
    ("value", pa.uint8(), "the byte as on the wire; an address byte includes its R/W bit"),
    ("acked", pa.bool_(), "SDA low at the 9th SCL rise; null when that clock never came"),
    ("start", pa.int64(), "sample of the first SCL rise"),
    ("at", pa.int64(), "sample of the 8th SCL rise, where the byte is complete"),
    ("end", pa.int64(), "sample of the 9th SCL rise, or of the 8th when there was no 9th"),
    ("t_ns", pa.int64(), "time of start"),
)

MESSAGES = _schema(
    "messages",
    "An address phase (START or repeated START, address) and its data bytes.",
    ("bus", _NAME, "bus name"),
    ("transfer", pa.int64(), "transfer's number on its bus"),
    ("index", pa.int32(), "message's index in the transfer"),
    ("address", pa.int16(), "7- or 10-bit address; null for a 10-bit one whose second byte never came"),
    ("address_kind", _WORD, "normal, or which of UM10204's reserved addresses"),
    ("ten_bit", pa.bool_(), "10-bit addressing"),
    ("direction", _WORD, "write or read"),
    ("restart", pa.bool_(), "begun by a repeated START"),
    ("acked", pa.bool_(), "the address was acknowledged; null when the clock for it never came"),
    ("data", pa.binary(), "data bytes, without the address"),
    ("start", pa.int64(), "sample of its START or repeated START"),
    ("end", pa.int64(), "sample of what ended it"),
    ("t_ns", pa.int64(), "time of start"),
)

TRANSFERS = _schema(
    "transfers",
    "START to STOP.",
    ("bus", _NAME, "bus name"),
    ("transfer", pa.int64(), "number on its bus, by START, from 0"),
    ("start", pa.int64(), "sample of START"),
    ("stop", pa.int64(), "sample of STOP; null when none came"),
    ("end", pa.int64(), "sample of STOP, or where the transfer was given up"),
    ("t_ns", pa.int64(), "time of start"),
    ("duration_ns", pa.int64(), "START to STOP"),
    ("address", pa.int16(), "address of its first message"),
    ("ten_bit", pa.bool_(), "that address has 10 bits"),
    ("directions", _WORD, "none, write, read, write-read (writes, then reads), mixed"),
    ("n_messages", pa.int32(), "messages"),
    ("n_bytes", pa.int32(), "data bytes, over all messages"),
    ("outcome", _WORD, "acked, address-nack, data-nack, void (no bits), unfinished (no STOP, or a cut byte)"),
    ("scl_hz", pa.float64(), "rate over the median SCL period within bytes"),
    ("scl_period", pa.int64(), "that median, in samples"),
    ("stretch_ns", pa.int64(), "time SCL was held low beyond its nominal low time"),
    ("complete", pa.bool_(), "false when the capture's beginning or end cuts it"),
)

MARKERS = _schema(
    "markers",
    "An interval (level) or a code (pulse-count) on a marker pin.",
    ("bus", _NAME, "bus the marker belongs to; null when it belongs to none"),
    ("marker", _NAME, "marker's name"),
    ("begin", pa.int64(), "sample of the first edge; null when active since before the capture"),
    ("end", pa.int64(), "sample of the last edge; null when active beyond the capture's end"),
    ("width_ns", pa.int64(), "begin to end"),
    ("t_ns", pa.int64(), "time of begin"),
    ("transfer", pa.int64(), "transfer whose exchange holds its begin; null for none"),
    ("from_start_ns", pa.int64(), "from that transfer's START to begin"),
    ("from_stop_ns", pa.int64(), "from that transfer's STOP to begin; negative before it"),
)

ANOMALY_ROWS = _schema(
    "anomalies",
    "One thing wrong, or worth a note, on a wire.",
    ("kind", _WORD, "what it is"),
    ("bus", _NAME, "bus name"),
    ("transfer", pa.int64(), "transfer it lies in; null outside"),
    ("sample", pa.int64(), "where it was seen"),
    ("t_ns", pa.int64(), "time of sample"),
    ("width_ns", pa.int64(), "how long it lasted, where that has a meaning"),
    ("detail", pa.string(), "one sentence"),
)

STRETCHES = _schema(
    "stretches",
    "An SCL low phase longer than twice the nominal one of its byte, the capture's end reached in one among them.",
    ("bus", _NAME, "bus name"),
    ("transfer", pa.int64(), "transfer's number on its bus"),
    (
        "message",
        pa.int32(),
        "message's index in the transfer; null when the capture ended before its address was known",
    ),
    (
        "bit",
        pa.uint8(),
        "bit whose SCL rise was late: 0 to 7 data, 8 ACK, 9 STOP, repeated START or, not complete, any",
    ),
    ("begin", pa.int64(), "sample of the SCL fall"),
    ("end", pa.int64(), "sample of the SCL rise, or the capture's end"),
    ("t_ns", pa.int64(), "time of begin"),
    ("width_ns", pa.int64(), "begin to end"),
    ("excess_ns", pa.int64(), "beyond the nominal low time"),
    ("held_by", _WORD, "target, controller, or unknown where the wire does not tell"),
    ("complete", pa.bool_(), "false when the capture's end cuts it: it lasted at least so long"),
)

TIMINGS = _schema(
    "timings",
    "One timing parameter of the bus in one transfer: the shortest and the longest there was of it.",
    ("bus", _NAME, "bus name"),
    ("transfer", pa.int64(), "transfer's number on its bus; tBUF is of the one that follows"),
    ("parameter", _WORD, "its name in UM10204's timing table or in SMBus; fSCL is given by its periods"),
    ("count", pa.int64(), "how many there were; for tLOW:SEXT and tLOW:MEXT the low phases taken together"),
    ("low", pa.int64(), "the shortest, in samples: the true one is less than one sample longer or shorter"),
    ("low_at", pa.int64(), "sample of the edge at which it began"),
    ("low_ns", pa.int64(), "the shortest"),
    ("high", pa.int64(), "the longest, in samples"),
    ("high_at", pa.int64(), "sample of the edge at which that began"),
    ("high_ns", pa.int64(), "the longest"),
)

TIMELINE = _schema(
    "timeline",
    "Every event of buses and markers, in order.",
    ("sample", pa.int64(), "where"),
    ("t_ns", pa.int64(), "time of sample"),
    ("event", _NAME, "start, address, ..., NAME.begin, NAME.end, wake, ready, or an anomaly's kind"),
    ("bus", _NAME, "bus name; null for a marker of no bus"),
    ("transfer", pa.int64(), "transfer, for a marker the one whose exchange holds it"),
    ("ref", pa.int64(), "row in the table the event comes from (bytes, transfers, messages, markers, anomalies)"),
)

CHECKS = _schema(
    "checks",
    "One rule on one instance.",
    ("rule", _NAME, "rule's id"),
    ("kind", _WORD, "rule's kind"),
    ("severity", _WORD, "error, warning, note"),
    ("bus", _NAME, "bus name"),
    ("transfer", pa.int64(), "transfer; null outside any exchange"),
    ("sample", pa.int64(), "where the instance is"),
    ("t_ns", pa.int64(), "time of sample"),
    ("value_ns", pa.float64(), "what was measured; null where nothing was, or no rate is known"),
    ("lower_ns", pa.float64(), "bound"),
    ("upper_ns", pa.float64(), "bound"),
    (
        "uncertainty_ns",
        pa.float64(),
        "the true value lies this close to value_ns: one sample period, of sums as many as they have doubtful edges",
    ),
    ("verdict", _WORD, "pass, fail, inconclusive, cut; measured where only all instances together are bounded"),
    ("message", pa.string(), "what was found; null for what passed or was only measured"),
)

ANNOTATIONS = _schema(
    "annotations",
    "What a decoder of sigrok said that was stacked on the bus (decode --stack), in the order in which it was said.",
    ("bus", _NAME, "bus name"),
    ("stack", _NAME, "the stack as it was asked for"),
    ("decoder", _NAME, "decoder's name"),
    ("class", _NAME, "the decoder's own class of annotations"),
    ("text", pa.string(), "the longest of the texts it gives"),
    ("start", pa.int64(), "sample where it begins"),
    ("end", pa.int64(), "sample where it ends, as sigrok draws it: it may lie past the next start"),
    ("t_ns", pa.int64(), "time of start"),
    ("transfer", pa.int64(), "transfer that start lies in; null outside"),
)

TABLES = {
    "bytes": BYTES,
    "messages": MESSAGES,
    "transfers": TRANSFERS,
    "markers": MARKERS,
    "anomalies": ANOMALY_ROWS,
    "stretches": STRETCHES,
    "timings": TIMINGS,
    "timeline": TIMELINE,
    "checks": CHECKS,
    "annotations": ANNOTATIONS,
}
