"""The strict I2C decoder: one bus, edges in, rows of six tables out, resumable anywhere.

Every change of SCL or SDA that outlasts the spike filter drives one step of the state machine. START and STOP count
everywhere: inside an address, an ACK clock, half a byte. What does not fit becomes a row of `anomalies`, never an error.
Time-outs are moments in sample time and fire before the first edge after them, so where the blocks are cut is of no
consequence. Terms are those of the I2C-bus specification (UM10204, 3.1); codes of the columns are in `_i2c.pyi`.

The loops are `nogil` and `noexcept`; arguments and buffers are checked at entry, when the state is still untouched.
"""

from columns cimport same
from i2c_rows cimport Rows, anomaly, bound, event, grow, reset
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    SCL = 1     # bits of `lines`
    SDA = 2
    BOTH = 3
    PERIODS = 1024      # SCL periods kept for a transfer's median
    CUT_BY_STOP = 0
    CUT_BY_START = 1
    CUT_BY_TIME = 2
    CUT_BY_END = 3
    E_START = 0
    E_RESTART = 1
    E_STOP = 2
    E_ADDRESS = 3
    E_DATA = 4
    E_ACK = 5
    E_NACK = 6
    GLITCH = 0
    SIMULTANEOUS = 1
    PARTIAL_BYTE = 2
    ACK_INTERRUPTED = 3
    VOID = 4
    STRAY_STOP = 5
    STRAY_CLOCKS = 6
    BUS_RECOVERY = 7
    MISSING_STOP = 8
    BEGINS_INSIDE = 9
    ENDS_INSIDE = 10
    STUCK_LOW = 11
    NORMAL = 0
    GENERAL_CALL = 1
    START_BYTE = 2
    CBUS = 3
    RESERVED = 4
    HS_CONTROLLER = 5
    TEN_BIT = 6
    DEVICE_ID = 7
    ADDRESS = 0
    ADDRESS_LOW = 1
    DATA = 2
    ACKED = 0
    ADDRESS_NACK = 1
    DATA_NACK = 2
    VOID_TRANSFER = 3
    UNFINISHED = 4

# Later than any sample, and sums of two such still fit: a time-out at FAR or beyond never fires.
cdef int64_t FAR = <int64_t> 1 << 61

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef struct Core:
    Rows rows
    # settings, in samples
    int scl_bit, sda_bit
    int64_t glitch, idle, stuck, begin
    # lines and time
    int lines           # after the spike filter
    int raw             # before it
    int pending         # lines whose last change is not confirmed yet
    int64_t pending_at[2]
    int64_t now         # everything before this sample is decided
    int64_t deadline    # the earliest time-out
    int64_t scl_stuck, sda_stuck    # when a line that is low becomes stuck-low
    int64_t low_limit   # `stuck`, or FAR before both lines were high once
    int64_t limit       # both lines high for longer end a transfer or a run of clocks
    int64_t synced
    # outside a transfer
    bint lead           # the capture's first moments: no START, STOP or idle time seen yet
    bint held           # it began with SCL high and SDA low and nothing has changed since
    int64_t run         # SCL rises in a row outside a transfer
    int64_t run_first
    # SCL, of the run or transfer in hand
    int64_t shortest    # shortest period, 0: none yet
    int64_t last_shortest   # that of the latest transfer that had one
    int64_t rise, fall, moved   # latest; `moved`: SDA's last change in this low phase, -1: none
    bint pulse          # the latest rise belongs to this transfer and no START came since
    # transfer
    bint open, whole, partial, address_nack, data_nack
    int64_t transfer, start, n_bytes, stretch, low, high, n_periods
    int n_messages, directions, first_address
    bint first_ten_bit
    int ten_bit_address     # of the latest 10-bit write, -1: unknown
    # phase: from a START or repeated START on
    int64_t phase_start
    bint restart, message
    int index, address, address_kind, high_bits, direction, message_acked
    int64_t message_bytes
    # byte
    int rises, value, kind
    bint ack_high       # the ACK's clock pulse is still high
    int64_t first_rise, eighth_rise
    int64_t low_min, low_max, nominal
    int64_t lows[9]
    int64_t falls[9]
    int64_t moves[9]
    int64_t periods[PERIODS]


# Timing -------------------------------------------------------------------------------------------------------------

cdef inline void set_limit(Core* s, int64_t guess) noexcept nogil:
    """Both lines high for longer than max(idle, 10 SCL periods) end things; never when neither is known.

    Before two SCL rises showed a period, the latest transfer's stands in, or `guess` when that is longer: a slow bus
    keeps its lines high for more than `idle` within its first bit.
    """
    cdef int64_t period = s.shortest, clocks
    if period == 0:
        period = s.last_shortest if s.last_shortest > guess else guess
    clocks = 10 * period if period < FAR // 10 else FAR
    s.limit = clocks if clocks > s.idle else s.idle
    if s.limit == 0:
        s.limit = FAR


cdef inline void arm(Core* s, int64_t t) noexcept nogil:
    """Sets the next time-out after the change at `t`. Both lines high is always as old as the latest change."""
    if s.lines == BOTH:
        s.deadline = t + s.limit if s.open or s.lead or s.run else FAR
    else:
        s.deadline = s.scl_stuck if s.scl_stuck < s.sda_stuck else s.sda_stuck


cdef inline void note_period(Core* s, int64_t period) noexcept nogil:
    if s.shortest == 0 or period < s.shortest:
        s.shortest = period
        set_limit(s, 0)


cdef int64_t median(int64_t* a, int64_t n) noexcept nogil:
    """Lower median of a[:n] by Hoare's selection, which leaves `a` in another order; 0 for none."""
    cdef int64_t k = (n - 1) // 2, low = 0, high = n - 1, i, j, pivot, swap
    if n == 0:
        return 0
    while low < high:
        pivot = a[low + (high - low) // 2]
        i = low
        j = high
        while i <= j:
            while a[i] < pivot:
                i += 1
            while a[j] > pivot:
                j -= 1
            if i <= j:
                swap = a[i]
                a[i] = a[j]
                a[j] = swap
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return a[k]


# Clock stretching ---------------------------------------------------------------------------------------------------

cdef int held_by(Core* s, int bit, int64_t low, int64_t begin, int64_t moved, int sda) noexcept nogil:
    """Who held SCL low: 0 unknown, 1 target, 2 controller; told from when SDA took the level of the coming bit.

    Late, after more than half of the low phase: whoever drives that bit was not ready. Early, within the nominal low
    time: the bit was out, so a controller that drives it has nothing left to wait for, and the target holds the clock;
    a target's early bit says nothing, for targets put out a bit and then stretch as well. Where SDA changes hands (the
    ACK, the bit after it, STOP) a rise may be the one before letting go, and only a fall tells.
    """
    cdef bint handover = bit >= 8 or (bit == 0 and s.index > 0)
    cdef bint target_drives = False
    if moved < 0 or (handover and sda):
        return 0
    if bit < 9:
        target_drives = (bit == 8) != (s.kind == DATA and s.direction == 1)
    if 2 * (moved - begin) > low:
        return 1 if target_drives else 2
    return 1 if not target_drives and moved - begin <= s.nominal else 0


cdef void stretched(Core* s, int bit, int k, int sda) noexcept nogil:
    """A row for the low phase `k` of this byte, which came before `bit`, when it is longer than nominal."""
    cdef int64_t low = s.lows[k], n
    cdef Rows* r = &s.rows
    if low <= 2 * s.nominal + 2:
        return
    n = grow(r, &r.stretches)
    r.stretch_transfer[n] = s.transfer
    r.stretch_message[n] = s.n_messages - 1
    r.stretch_bit[n] = bit
    r.stretch_begin[n] = s.falls[k]
    r.stretch_end[n] = s.falls[k] + low
    r.stretch_excess[n] = low - s.nominal
    r.stretch_held_by[n] = held_by(s, bit, low, s.falls[k], s.moves[k], sda)
    s.stretch += low - s.nominal


# Bytes, messages, transfers -----------------------------------------------------------------------------------------

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


cdef int address_kind(int value) noexcept nogil:
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


cdef void begin_message(Core* s) noexcept nogil:
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


cdef void cut_byte(Core* s, int64_t t, int cause) noexcept nogil:
    """START, STOP, a time-out or the capture's end at `t`: what was there of the byte.

    A byte that the capture's end cuts is not the wire's doing: `ends-inside` tells of it.
    """
    cdef Rows* r = &s.rows
    if s.rises >= 2:
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


cdef void end_message(Core* s, int64_t t) noexcept nogil:
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


cdef void begin_phase(Core* s, int64_t t, bint restart) noexcept nogil:
    s.phase_start = t
    s.restart = restart
    s.message = s.ack_high = s.pulse = False
    s.index = s.rises = 0


cdef void begin_transfer(Core* s, int64_t t, bint whole) noexcept nogil:
    s.open = True
    s.whole = whole
    s.start = t
    s.partial = s.address_nack = s.data_nack = s.first_ten_bit = False
    s.n_bytes = s.stretch = s.high = s.n_periods = s.n_messages = s.directions = 0
    s.low = 0
    s.first_address = s.ten_bit_address = -1
    s.shortest = 0
    set_limit(s, 0)
    event(&s.rows, t, E_START, s.transfer)
    begin_phase(s, t, False)


cdef void end_transfer(Core* s, int64_t t, bint stopped) noexcept nogil:
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
    r.transfer_period[n] = median(s.periods, s.n_periods)
    r.transfer_low[n] = s.low
    r.transfer_high[n] = s.high
    r.transfer_stretch[n] = s.stretch
    r.transfer_complete[n] = s.whole
    s.open = False
    s.transfer += 1
    if s.shortest:
        s.last_shortest = s.shortest
    s.shortest = 0
    set_limit(s, 0)


cdef bint end_run(Core* s, int cause) noexcept nogil:
    """Ends what went on outside a transfer; true when it shows that the capture began inside one.

    Ended by a START, the transfer about to open is the rest of that one. A single SCL rise is no stray clock unless
    idle time follows: a START or STOP needs one when SCL was low.
    """
    cdef bint inside = s.lead and s.run >= 2
    if inside:
        anomaly(&s.rows, BEGINS_INSIDE, s.transfer if cause == CUT_BY_START else -1, s.begin, -1, s.run)
    elif not s.lead and (s.run >= 2 or (s.run == 1 and cause == CUT_BY_TIME)):
        anomaly(&s.rows, BUS_RECOVERY if s.run >= 9 else STRAY_CLOCKS, -1, s.run_first, -1, s.run)
    s.lead = s.held = False
    s.run = 0
    s.shortest = 0
    set_limit(s, 0)
    return inside


# Steps --------------------------------------------------------------------------------------------------------------

cdef inline void on_rise(Core* s, int64_t t, int sda) noexcept nogil:
    cdef int k = s.rises
    cdef int64_t low
    s.scl_stuck = FAR
    if not s.open:
        if s.run == 0:
            s.run_first = t
            set_limit(s, 2 * (t - s.fall))
        else:
            note_period(s, t - s.rise)
        s.run += 1
        s.rise = t
        return
    low = t - s.fall
    s.lows[k] = low
    s.falls[k] = s.fall
    s.moves[k] = s.moved
    if s.low == 0 or low < s.low:
        s.low = low
    s.pulse = True
    if k == 0:
        s.low_min = s.low_max = low
        s.first_rise = s.rise = t
        s.value = sda
        s.rises = 1
        if s.shortest == 0:
            set_limit(s, 2 * low)
        return
    if low < s.low_min:
        s.low_min = low
    elif low > s.low_max:
        s.low_max = low
    if s.n_periods < PERIODS:
        s.periods[s.n_periods] = t - s.rise
        s.n_periods += 1
    note_period(s, t - s.rise)
    s.rise = t
    if k == 8:
        byte_answered(s, not sda)
        return
    s.value = s.value << 1 | sda
    s.rises = k + 1
    if k == 7:
        byte_complete(s)


cdef inline void on_fall(Core* s, int64_t t) noexcept nogil:
    if s.held:
        # SCL high and SDA low at the very beginning, and now the clock: a START the capture was triggered on.
        s.lead = s.held = False
        anomaly(&s.rows, BEGINS_INSIDE, s.transfer, s.begin, -1, 0)
        begin_transfer(s, s.begin, False)
    s.scl_stuck = t + s.low_limit
    s.fall = t
    s.moved = -1
    if s.open:
        s.ack_high = False
        if s.pulse and (s.high == 0 or t - s.rise < s.high):
            s.high = t - s.rise
        s.pulse = False


cdef inline void on_start(Core* s, int64_t t) noexcept nogil:
    cdef bint inside
    if s.open:
        cut_byte(s, t, CUT_BY_START)
        end_message(s, t)
        event(&s.rows, t, E_RESTART, s.transfer)
        begin_phase(s, t, True)
    else:
        inside = end_run(s, CUT_BY_START)
        begin_transfer(s, t, not inside)


cdef inline void on_stop(Core* s, int64_t t) noexcept nogil:
    cdef bint lead = s.lead
    if s.open:
        cut_byte(s, t, CUT_BY_STOP)
        event(&s.rows, t, E_STOP, s.transfer)
        end_transfer(s, t, True)
    else:
        end_run(s, CUT_BY_STOP)
        if not lead:
            anomaly(&s.rows, STRAY_STOP, -1, t, -1, 0)


cdef inline void step(Core* s, int64_t t, int lines) noexcept nogil:
    """One confirmed change: `lines` from sample `t` on."""
    cdef int changed = s.lines ^ lines, sda = lines >> 1
    s.lines = lines
    if changed & SDA:
        s.sda_stuck = FAR if sda else t + s.low_limit
    if changed == SCL:
        if lines & SCL:
            on_rise(s, t, sda)
        else:
            on_fall(s, t)
    elif changed == SDA:
        if not lines & SCL:
            s.moved = t
        elif sda:
            on_stop(s, t)
        else:
            on_start(s, t)
    else:
        # Which came first is not known: data, never START or STOP.
        if lines & SCL:
            s.moved = t
            on_rise(s, t, sda)
        else:
            on_fall(s, t)
            s.moved = t
        anomaly(&s.rows, SIMULTANEOUS, s.transfer if s.open else -1, t, -1, 0 if lines & SCL else 1)
    if lines == BOTH and s.synced < 0:
        s.synced = t
        s.low_limit = s.stuck if s.stuck else FAR
    arm(s, t)


cdef void expire(Core* s, int64_t t) noexcept nogil:
    """Fires the time-outs before sample `t`, in order."""
    cdef int64_t at
    while s.deadline < t:
        at = s.deadline
        if s.lines == BOTH:
            if s.open:
                cut_byte(s, at, CUT_BY_TIME)
                anomaly(&s.rows, MISSING_STOP, s.transfer, at, -1, 0)
                end_transfer(s, at, False)
            else:
                end_run(s, CUT_BY_TIME)
            s.deadline = FAR
        elif s.scl_stuck == at:
            anomaly(&s.rows, STUCK_LOW, s.transfer if s.open else -1, at, s.stuck, 0)
            s.scl_stuck = FAR
            s.deadline = s.sda_stuck
        else:
            anomaly(&s.rows, STUCK_LOW, s.transfer if s.open else -1, at, s.stuck, 1)
            s.sda_stuck = FAR
            s.deadline = s.scl_stuck


cdef void confirm(Core* s, int64_t before) noexcept nogil:
    """Steps over the pending changes that were made before sample `before`, in order."""
    cdef int which
    cdef int64_t t
    while s.pending:
        if s.pending == BOTH:
            which = BOTH
            if s.pending_at[0] != s.pending_at[1]:
                which = SCL if s.pending_at[0] < s.pending_at[1] else SDA
        else:
            which = s.pending
        t = s.pending_at[0] if which & SCL else s.pending_at[1]
        if t >= before:
            return
        s.pending &= ~which
        expire(s, t)
        step(s, t, s.lines ^ which)


cdef void advance(Core* s, int64_t t) noexcept nogil:
    """All samples before `t` are known: confirms, then lets time pass as far as nothing is pending."""
    confirm(s, t - s.glitch)
    if s.pending & SCL and s.pending_at[0] < t:
        t = s.pending_at[0]
    if s.pending & SDA and s.pending_at[1] < t:
        t = s.pending_at[1]
    expire(s, t)
    s.now = t


cdef void filtered(Core* s, int64_t t, int lines) noexcept nogil:
    """One change before the spike filter."""
    cdef int changed = s.raw ^ lines, k
    advance(s, t)
    s.raw = lines
    for k in range(2):
        if changed >> k & 1:
            if s.pending >> k & 1:
                anomaly(&s.rows, GLITCH, s.transfer if s.open else -1, s.pending_at[k], t - s.pending_at[k], k)
                s.pending &= ~(1 << k)
            else:
                s.pending |= 1 << k
                s.pending_at[k] = t


cdef int64_t consume(Core* s, const int64_t* at, const word_t* words, int64_t i, int64_t n) noexcept nogil:
    """Takes edges from index `i` on; returns the index of the first one not taken."""
    cdef int lines
    cdef int64_t t
    while i < n and not s.rows.full:
        lines = <int> (words[i] >> s.scl_bit & 1) | <int> (words[i] >> s.sda_bit & 1) << 1
        if lines != s.raw:
            t = at[i]
            # No change follows within the filter's width: this one stands, and need not wait to be confirmed.
            if s.glitch == 0 or (not s.pending and i + 1 < n and at[i + 1] - t > s.glitch):
                s.raw = lines
                if s.deadline < t:
                    expire(s, t)
                step(s, t, lines)
                s.now = t
            else:
                filtered(s, t, lines)
        i += 1
    return i


cdef class Decoder:
    """Strict decoder of one bus; see `_i2c.pyi` for the tables and the protocol of `bind`, `feed` and `finish`."""

    cdef Core s
    cdef bint ready, begun, finished, all_done
    cdef int64_t end
    cdef list kept

    def __init__(self, int scl, int sda, *, int64_t glitch, int64_t idle, int64_t stuck, int64_t begin=0):
        cdef Core* s = &self.s
        if not (0 <= scl < 64 and 0 <= sda < 64) or scl == sda:
            raise ValueError(f"scl and sda are two different bits from 0 to 63, not {scl} and {sda}")
        for name, value in (("glitch", glitch), ("idle", idle), ("stuck", stuck), ("begin", begin)):
            if not 0 <= value < FAR:
                raise ValueError(f"{name} is a number of samples from 0 to 2**61 - 1, not {value}")
        s.scl_bit, s.sda_bit = scl, sda
        s.glitch, s.idle, s.stuck, s.begin = glitch, idle, stuck, begin
        s.low_limit = s.scl_stuck = s.sda_stuck = s.deadline = FAR
        s.lead = True
        s.synced = -1
        s.now = s.fall = self.end = begin
        set_limit(s, 0)

    def bind(self, dict tables):
        cdef list arrays = [array for columns in tables.values() for array in columns.values()]
        if self.ready and same(arrays, self.kept):
            reset(&self.s.rows)
            return
        self.s.rows = bound(tables)
        self.kept = arrays
        self.ready = True

    cdef int begin(self, int lines) except -1:
        cdef Core* s = &self.s
        self.begun = True
        s.lines = s.raw = lines
        s.held = lines == SCL
        if lines == BOTH:
            s.synced = s.begin
            s.low_limit = s.stuck if s.stuck else FAR
        arm(s, s.begin)
        return 0

    def feed(self, const int64_t[::1] at, words, int64_t start, initial, int64_t end):
        cdef Core* s = &self.s
        cdef int64_t n = at.shape[0], taken = start
        cdef int lines = (initial >> s.scl_bit & 1) | (initial >> s.sda_bit & 1) << 1
        cdef const uint8_t[::1] w8
        cdef const uint16_t[::1] w16
        cdef const uint32_t[::1] w32
        cdef const uint64_t[::1] w64
        if not self.ready or self.finished:
            raise ValueError("the decoder is finished" if self.finished else "no tables are bound")
        if words.shape[0] != n or not 0 <= start <= n:
            raise ValueError(f"{n} edges, {words.shape[0]} words, start {start}")
        if end > FAR or end < self.end or (start < n and (at[start] < s.now or at[n - 1] >= end)):
            raise ValueError(f"edges up to sample {end} do not follow on sample {s.now}")
        if words.dtype.kind != "u" or not words.dtype.isnative:
            raise ValueError(f"words are {words.dtype}, not uint8, uint16, uint32 or uint64")
        if not self.begun:
            self.begin(lines)
        elif start == 0 and lines != s.raw:
            raise ValueError(f"the block that ends at sample {end} begins with other lines than the last one left")
        self.all_done = False
        if start < n:
            if words.itemsize == 1:
                w8 = words
                with nogil:
                    taken = consume[uint8_t](s, &at[0], &w8[0], start, n)
            elif words.itemsize == 2:
                w16 = words
                with nogil:
                    taken = consume[uint16_t](s, &at[0], &w16[0], start, n)
            elif words.itemsize == 4:
                w32 = words
                with nogil:
                    taken = consume[uint32_t](s, &at[0], &w32[0], start, n)
            else:
                w64 = words
                with nogil:
                    taken = consume[uint64_t](s, &at[0], &w64[0], start, n)
        if taken == n and not s.rows.full:
            advance(s, end)
            self.end = end
            self.all_done = True
        return taken

    def finish(self, int64_t end):
        cdef Core* s = &self.s
        if not self.ready or self.finished:
            raise ValueError("the decoder is finished already" if self.finished else "no tables are bound")
        if end < self.end or end > FAR:
            raise ValueError(f"the capture cannot end before sample {end}: time is at {self.end}")
        if self.begun and not self.all_done:
            raise ValueError("the last block was not consumed to its end: bind fresh tables and feed the rest first")
        self.finished = True
        if not self.begun:
            return
        confirm(s, end)
        expire(s, end)
        if s.open:
            cut_byte(s, end, CUT_BY_END)
            anomaly(&s.rows, ENDS_INSIDE, s.transfer, end, -1, s.rises)
            s.whole = False
            end_transfer(s, end, False)
        else:
            end_run(s, CUT_BY_END)
        s.now = end

    @property
    def done(self):
        return self.all_done

    @property
    def counts(self):
        cdef Rows* r = &self.s.rows
        return r.events.n, r.bytes.n, r.messages.n, r.transfers.n, r.anomalies.n, r.stretches.n

    @property
    def watermark(self):
        cdef Core* s = &self.s
        cdef int64_t mark = s.now
        if self.finished:
            return mark
        if s.lead:
            return s.begin      # begins-inside may still be found
        if not s.open and s.run:
            return s.run_first if s.run_first < mark else mark
        if s.open and s.rises == 8 and s.eighth_rise < mark:
            return s.eighth_rise
        return mark

    @property
    def synced(self):
        return self.s.synced

    @property
    def open(self):
        return self.s.start if self.s.open else -1
