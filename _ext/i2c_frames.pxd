"""Bytes, messages and transfers: from the first rise of a byte to the row of the transfer it belongs to."""

from i2c_measure cimport median, set_limit, stretched
from i2c_rows cimport Rows, anomaly, event, grow
from i2c_state cimport (
    ACKED, ACK_INTERRUPTED, ADDRESS, ADDRESS_LOW, ADDRESS_NACK, CBUS, CUT_BY_END, CUT_BY_START, DATA, DATA_NACK,
    DEVICE_ID, E_ACK, E_ADDRESS, E_DATA, E_NACK, E_START, EXTRA_CLOCK, FAR, GENERAL_CALL, HS_CONTROLLER, NORMAL,
    PARTIAL_BYTE, RESERVED, SCL, START_BYTE, TEN_BIT, UNFINISHED, VOID, VOID_TRANSFER, Core,
)
from libc.stdint cimport int64_t


cdef inline void byte_row(Core* s, int acked, int64_t end) noexcept nogil:
    cdef Rows* r = &s.rows
    cdef int64_t n = grow(r, &r.bytes)
    r.byte_transfer[n] = s.transfer
    r.byte_message[n] = s.n_messages - 1
    r.byte_index[n] = s.index
    r.byte_kind[n] = s.kind
    r.byte_value[n] = s.value
    r.byte_acked[n] = acked
    r.byte_start[n] = s.first_rise
    r.byte_at[n] = s.eighth_rise
    r.byte_end[n] = end


cdef inline int address_kind(int value) noexcept nogil:
    """What an address byte is for (UM10204, table 4)."""
    if value < 0x10:
        if value < 2:
            return START_BYTE if value else GENERAL_CALL
        if value < 4:
            return CBUS
        return RESERVED if value < 8 else HS_CONTROLLER
    if value < 0xF0:
        return NORMAL
    return TEN_BIT if value < 0xF8 else DEVICE_ID


cdef inline void begin_message(Core* s) noexcept nogil:
    """The 8th bit of an address byte is here."""
    s.kind = ADDRESS
    s.message = True
    s.message_bytes = 0
    s.message_acked = -1
    s.address_kind = address_kind(s.value)
    s.direction = s.value & 1
    s.address = s.value >> 1
    s.high_bits = s.value >> 1 & 3      # of a 10-bit address
    if s.address_kind == TEN_BIT:
        if s.direction == 0:
            s.address = s.ten_bit_address = -1      # until its second byte
        elif s.ten_bit_address >= 0 and s.ten_bit_address >> 8 == s.high_bits and s.restart:
            s.address = s.ten_bit_address
        else:
            s.address = -1
    if s.n_messages == 0:
        s.first_address = s.address
        s.first_ten_bit = s.address_kind == TEN_BIT
    if s.direction == 0:
        s.directions = 1 if s.directions < 2 else 4
    elif s.directions < 4:
        s.directions = 2 if s.directions == 0 or s.directions == 2 else 3
    s.n_messages += 1
    event(&s.rows, s.eighth_rise, E_ADDRESS, s.transfer)


cdef inline void byte_complete(Core* s) noexcept nogil:
    """The 8th SCL rise of a byte."""
    s.eighth_rise = s.rise
    if s.index == 0:
        begin_message(s)
    elif s.index == 1 and s.address_kind == TEN_BIT and s.direction == 0:
        s.kind = ADDRESS_LOW
        s.address = s.ten_bit_address = s.high_bits << 8 | s.value
        if s.n_messages == 1:
            s.first_address = s.address
    else:
        s.kind = DATA
        s.n_bytes += 1
        s.message_bytes += 1
        event(&s.rows, s.rise, E_DATA, s.transfer)


cdef inline void byte_answered(Core* s, bint acked) noexcept nogil:
    """The 9th SCL rise of a byte."""
    cdef int k
    event(&s.rows, s.rise, E_ACK if acked else E_NACK, s.transfer)
    byte_row(s, acked, s.rise)
    if s.kind == ADDRESS:
        # A 10-bit write is acknowledged by both bytes or not at all.
        if not acked or s.address_kind != TEN_BIT or s.direction == 1:
            s.message_acked = acked
    elif s.kind == ADDRESS_LOW:
        if s.message_acked != 0:
            s.message_acked = acked
    elif not acked and s.direction == 0:
        s.data_nack = True
    s.nominal = s.low_min
    if s.low_max > 2 * s.low_min + 2:
        for k in range(9):
            stretched(s, k, k, s.value >> (7 - k) & 1 if k < 8 else not acked)
    s.index += 1
    s.rises = 0
    s.ack_high = True
    s.refused = not acked


cdef inline void cut_byte(Core* s, int64_t t, int cause) noexcept nogil:
    """START, STOP, a time-out or the capture's end at `t`: what was there of the byte.

    A byte that the capture's end cuts is not the wire's doing: `ends-inside` tells of it.
    """
    cdef Rows* r = &s.rows
    if s.rises == 2 and s.refused and cause <= CUT_BY_START:
        # Some controllers clock once more after a NACK before they let go. No byte can follow a NACK, so none was cut.
        anomaly(r, EXTRA_CLOCK, s.transfer, t, -1, cause)
    elif s.rises >= 2:
        if s.rises == 8:
            byte_row(s, -1, s.eighth_rise)
        if cause != CUT_BY_END:
            anomaly(r, PARTIAL_BYTE, s.transfer, t, -1, s.rises + (16 if cause == CUT_BY_START else 0))
        s.partial = True
    elif cause <= CUT_BY_START:
        if s.ack_high:
            anomaly(r, ACK_INTERRUPTED, s.transfer, t, -1, cause)
        elif s.index == 0:
            anomaly(r, VOID, s.transfer, t, -1, cause)
        else:
            stretched(s, 9, 0, cause == CUT_BY_START)


cdef inline void end_message(Core* s, int64_t t) noexcept nogil:
    cdef Rows* r = &s.rows
    cdef int64_t n
    if not s.message:
        return
    n = grow(r, &r.messages)
    r.message_transfer[n] = s.transfer
    r.message_index[n] = s.n_messages - 1
    r.message_address[n] = s.address
    r.message_address_kind[n] = s.address_kind
    r.message_ten_bit[n] = s.address_kind == TEN_BIT
    r.message_direction[n] = s.direction
    r.message_restart[n] = s.restart
    r.message_acked[n] = s.message_acked
    r.message_start[n] = s.phase_start
    r.message_end[n] = t
    r.message_n_bytes[n] = s.message_bytes
    # Nobody answers a start byte, a CBUS address or a high-speed controller code.
    if s.message_acked == 0 and not (START_BYTE <= s.address_kind <= CBUS or s.address_kind == HS_CONTROLLER):
        s.address_nack = True


cdef inline void begin_phase(Core* s, int64_t t, bint restart) noexcept nogil:
    s.phase_start = t
    s.restart = restart
    s.message = s.ack_high = s.refused = False
    s.pulse = -FAR
    s.index = s.rises = 0


cdef inline void begin_transfer(Core* s, int64_t t, bint whole) noexcept nogil:
    s.open = True
    s.whole = whole
    s.start = t
    s.partial = s.address_nack = s.data_nack = s.first_ten_bit = False
    s.n_bytes = s.stretch = s.n_periods = s.n_messages = s.directions = 0
    s.low = s.high = FAR
    s.first_address = s.ten_bit_address = -1
    s.shortest = 0
    set_limit(s, 0)
    event(&s.rows, t, E_START, s.transfer)
    begin_phase(s, t, False)


cdef inline void end_transfer(Core* s, int64_t t, bint stopped) noexcept nogil:
    """Closes the open transfer at `t`; the next one gets the next number."""
    cdef Rows* r = &s.rows
    cdef int64_t n
    cdef int outcome
    end_message(s, t)
    if not stopped or s.partial:
        outcome = UNFINISHED
    elif s.n_messages == 0:
        outcome = VOID_TRANSFER
    elif s.address_nack:
        outcome = ADDRESS_NACK
    else:
        outcome = DATA_NACK if s.data_nack else ACKED
    n = grow(r, &r.transfers)
    r.transfer_transfer[n] = s.transfer
    r.transfer_start[n] = s.start
    r.transfer_stop[n] = t if stopped else -1
    r.transfer_end[n] = t
    r.transfer_outcome[n] = outcome
    r.transfer_n_messages[n] = s.n_messages
    r.transfer_n_bytes[n] = s.n_bytes
    r.transfer_address[n] = s.first_address
    r.transfer_ten_bit[n] = s.first_ten_bit
    r.transfer_directions[n] = s.directions
    r.transfer_period[n] = median(s.periods, s.n_periods, s.shortest)
    r.transfer_low[n] = s.low if s.low < FAR else 0
    r.transfer_high[n] = s.high if s.high < FAR else 0
    r.transfer_stretch[n] = s.stretch
    r.transfer_complete[n] = s.whole
    s.open = False
    s.transfer += 1
    if s.shortest:
        s.last_shortest = s.shortest
    s.shortest = 0
    set_limit(s, 0)
