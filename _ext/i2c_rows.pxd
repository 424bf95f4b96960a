"""The six tables the strict decoder fills, and one inline function a table that adds a row.

A table that is nearly full (fewer than RESERVE rows left) raises `full`; the decoder looks at it before each edge.
One edge never makes more than 16 rows of a table, so what remains is enough for `finish` as well.
"""

from columns cimport Table, column
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t

cdef enum:
    RESERVE = 32


cdef struct Rows:
    bint full
    Table events
    int64_t *event_at
    uint8_t *event_kind
    int64_t *event_transfer
    Table bytes
    int64_t *byte_transfer
    int32_t *byte_message
    int32_t *byte_index
    uint8_t *byte_kind
    uint8_t *byte_value
    int8_t *byte_acked
    int64_t *byte_start
    int64_t *byte_at
    int64_t *byte_end
    Table messages
    int64_t *message_transfer
    int32_t *message_index
    int16_t *message_address
    uint8_t *message_address_kind
    uint8_t *message_ten_bit
    uint8_t *message_direction
    uint8_t *message_restart
    int8_t *message_acked
    int64_t *message_start
    int64_t *message_end
    int32_t *message_n_bytes
    Table transfers
    int64_t *transfer_transfer
    int64_t *transfer_start
    int64_t *transfer_stop
    int64_t *transfer_end
    uint8_t *transfer_outcome
    int32_t *transfer_n_messages
    int32_t *transfer_n_bytes
    int16_t *transfer_address
    uint8_t *transfer_ten_bit
    uint8_t *transfer_directions
    int64_t *transfer_period
    int64_t *transfer_low
    int64_t *transfer_high
    int64_t *transfer_stretch
    uint8_t *transfer_complete
    Table anomalies
    uint8_t *anomaly_kind
    int64_t *anomaly_transfer
    int64_t *anomaly_at
    int64_t *anomaly_width
    int32_t *anomaly_arg
    Table stretches
    int64_t *stretch_transfer
    int32_t *stretch_message
    uint8_t *stretch_bit
    int64_t *stretch_begin
    int64_t *stretch_end
    int64_t *stretch_excess
    uint8_t *stretch_held_by
    uint8_t *stretch_complete


cdef inline int64_t grow(Rows* r, Table* table) noexcept nogil:
    """The row to fill next."""
    table.n += 1
    if table.n >= table.mark:
        r.full = True
    return table.n - 1


cdef inline void event(Rows* r, int64_t at, uint8_t kind, int64_t transfer) noexcept nogil:
    cdef int64_t n = grow(r, &r.events)
    r.event_at[n] = at
    r.event_kind[n] = kind
    r.event_transfer[n] = transfer


cdef inline void anomaly(
    Rows* r, uint8_t kind, int64_t transfer, int64_t at, int64_t width, int64_t arg
) noexcept nogil:
    cdef int64_t n = grow(r, &r.anomalies)
    r.anomaly_kind[n] = kind
    r.anomaly_transfer[n] = transfer
    r.anomaly_at[n] = at
    r.anomaly_width[n] = width
    r.anomaly_arg[n] = <int32_t> (arg if arg < 0x7FFFFFFF else 0x7FFFFFFF)


cdef inline Rows bound(dict tables) except *:
    """Addresses of all columns of `tables` after checking them; row counts start from 0."""
    cdef Rows r
    r.full = False
    r.events = r.bytes = r.messages = r.transfers = r.anomalies = r.stretches = Table(0, 0)
    cdef Table* t = &r.events
    r.event_at = <int64_t*> column(tables, "events", "at", "int64", t, RESERVE)
    r.event_kind = <uint8_t*> column(tables, "events", "kind", "uint8", t, RESERVE)
    r.event_transfer = <int64_t*> column(tables, "events", "transfer", "int64", t, RESERVE)
    t = &r.bytes
    r.byte_transfer = <int64_t*> column(tables, "bytes", "transfer", "int64", t, RESERVE)
    r.byte_message = <int32_t*> column(tables, "bytes", "message", "int32", t, RESERVE)
    r.byte_index = <int32_t*> column(tables, "bytes", "index", "int32", t, RESERVE)
    r.byte_kind = <uint8_t*> column(tables, "bytes", "kind", "uint8", t, RESERVE)
    r.byte_value = <uint8_t*> column(tables, "bytes", "value", "uint8", t, RESERVE)
    r.byte_acked = <int8_t*> column(tables, "bytes", "acked", "int8", t, RESERVE)
    r.byte_start = <int64_t*> column(tables, "bytes", "start", "int64", t, RESERVE)
    r.byte_at = <int64_t*> column(tables, "bytes", "at", "int64", t, RESERVE)
    r.byte_end = <int64_t*> column(tables, "bytes", "end", "int64", t, RESERVE)
    t = &r.messages
    r.message_transfer = <int64_t*> column(tables, "messages", "transfer", "int64", t, RESERVE)
    r.message_index = <int32_t*> column(tables, "messages", "index", "int32", t, RESERVE)
    r.message_address = <int16_t*> column(tables, "messages", "address", "int16", t, RESERVE)
    r.message_address_kind = <uint8_t*> column(tables, "messages", "address_kind", "uint8", t, RESERVE)
    r.message_ten_bit = <uint8_t*> column(tables, "messages", "ten_bit", "uint8", t, RESERVE)
    r.message_direction = <uint8_t*> column(tables, "messages", "direction", "uint8", t, RESERVE)
    r.message_restart = <uint8_t*> column(tables, "messages", "restart", "uint8", t, RESERVE)
    r.message_acked = <int8_t*> column(tables, "messages", "acked", "int8", t, RESERVE)
    r.message_start = <int64_t*> column(tables, "messages", "start", "int64", t, RESERVE)
    r.message_end = <int64_t*> column(tables, "messages", "end", "int64", t, RESERVE)
    r.message_n_bytes = <int32_t*> column(tables, "messages", "n_bytes", "int32", t, RESERVE)
    t = &r.transfers
    r.transfer_transfer = <int64_t*> column(tables, "transfers", "transfer", "int64", t, RESERVE)
    r.transfer_start = <int64_t*> column(tables, "transfers", "start", "int64", t, RESERVE)
    r.transfer_stop = <int64_t*> column(tables, "transfers", "stop", "int64", t, RESERVE)
    r.transfer_end = <int64_t*> column(tables, "transfers", "end", "int64", t, RESERVE)
    r.transfer_outcome = <uint8_t*> column(tables, "transfers", "outcome", "uint8", t, RESERVE)
    r.transfer_n_messages = <int32_t*> column(tables, "transfers", "n_messages", "int32", t, RESERVE)
    r.transfer_n_bytes = <int32_t*> column(tables, "transfers", "n_bytes", "int32", t, RESERVE)
    r.transfer_address = <int16_t*> column(tables, "transfers", "address", "int16", t, RESERVE)
    r.transfer_ten_bit = <uint8_t*> column(tables, "transfers", "ten_bit", "uint8", t, RESERVE)
    r.transfer_directions = <uint8_t*> column(tables, "transfers", "directions", "uint8", t, RESERVE)
    r.transfer_period = <int64_t*> column(tables, "transfers", "period", "int64", t, RESERVE)
    r.transfer_low = <int64_t*> column(tables, "transfers", "low", "int64", t, RESERVE)
    r.transfer_high = <int64_t*> column(tables, "transfers", "high", "int64", t, RESERVE)
    r.transfer_stretch = <int64_t*> column(tables, "transfers", "stretch", "int64", t, RESERVE)
    r.transfer_complete = <uint8_t*> column(tables, "transfers", "complete", "uint8", t, RESERVE)
    t = &r.anomalies
    r.anomaly_kind = <uint8_t*> column(tables, "anomalies", "kind", "uint8", t, RESERVE)
    r.anomaly_transfer = <int64_t*> column(tables, "anomalies", "transfer", "int64", t, RESERVE)
    r.anomaly_at = <int64_t*> column(tables, "anomalies", "at", "int64", t, RESERVE)
    r.anomaly_width = <int64_t*> column(tables, "anomalies", "width", "int64", t, RESERVE)
    r.anomaly_arg = <int32_t*> column(tables, "anomalies", "arg", "int32", t, RESERVE)
    t = &r.stretches
    r.stretch_transfer = <int64_t*> column(tables, "stretches", "transfer", "int64", t, RESERVE)
    r.stretch_message = <int32_t*> column(tables, "stretches", "message", "int32", t, RESERVE)
    r.stretch_bit = <uint8_t*> column(tables, "stretches", "bit", "uint8", t, RESERVE)
    r.stretch_begin = <int64_t*> column(tables, "stretches", "begin", "int64", t, RESERVE)
    r.stretch_end = <int64_t*> column(tables, "stretches", "end", "int64", t, RESERVE)
    r.stretch_excess = <int64_t*> column(tables, "stretches", "excess", "int64", t, RESERVE)
    r.stretch_held_by = <uint8_t*> column(tables, "stretches", "held_by", "uint8", t, RESERVE)
    r.stretch_complete = <uint8_t*> column(tables, "stretches", "complete", "uint8", t, RESERVE)
    return r


cdef inline void reset(Rows* r) noexcept nogil:
    """The same buffers again, from row 0."""
    r.full = False
    r.events.n = r.bytes.n = r.messages.n = r.transfers.n = r.anomalies.n = r.stretches.n = 0
