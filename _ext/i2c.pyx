"""The strict I2C decoder: one bus, edges in, rows of six tables out, resumable anywhere.

Every change of SCL or SDA that outlasts the spike filter drives one step of the state machine. START and STOP count
everywhere: inside an address, an ACK clock, half a byte. What does not fit is a row of `anomalies`, never an error.
Time-outs are moments in sample time and fire before the first edge after them, so where the blocks are cut is of no
consequence. Terms are those of the I2C-bus specification (UM10204, 3.1); codes of the columns are in `_i2c.pyi`.

The loops are `nogil` and `noexcept`; arguments and buffers are checked at entry, when the state is still untouched.
"""

cimport cython
from columns cimport same
from i2c_frames cimport begin_phase, begin_transfer, byte_answered, byte_complete, cut_byte, end_message, end_transfer
from i2c_measure cimport set_limit, stretched_to
from i2c_rows cimport Rows, anomaly, bound, event, reset
from i2c_state cimport (
    BEGINS_INSIDE, BOTH, BUS_RECOVERY, CUT_BY_END, CUT_BY_START, CUT_BY_STOP, CUT_BY_TIME, ENDS_INSIDE, E_RESTART,
    E_STOP, FAR, GLITCH, MISSING_STOP, PERIODS, SCL, SDA, SIMULTANEOUS, STRAY_CLOCKS, STRAY_STOP, STUCK_LOW, Core,
    inlined,
)
from i2c_whole cimport whole_bytes
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


# Time, and what goes on outside a transfer --------------------------------------------------------------------------

cdef inline inlined arm(Core* s, int64_t t) noexcept nogil:
    """Sets the next time-out after the change at `t`. Both lines high is always as old as the latest change."""
    if s.lines == BOTH:
        if s.synced < 0:
            s.synced = t
            s.low_limit = s.stuck if s.stuck else FAR
        s.deadline = t + s.limit if s.open or s.lead or s.run else FAR
    else:
        s.deadline = s.scl_stuck if s.scl_stuck < s.sda_stuck else s.sda_stuck


cdef inline inlined note_period(Core* s, int64_t period) noexcept nogil:
    if s.shortest == 0 or period < s.shortest:
        s.shortest = period
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

cdef inline inlined on_rise(Core* s, int64_t t, int sda) noexcept nogil:
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
    s.pulse = t
    if low < s.low:
        s.low = low
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


cdef inline inlined on_fall(Core* s, int64_t t) noexcept nogil:
    if s.held:
        # SCL high and SDA low at the very beginning, and now the clock: a START the capture was triggered on.
        s.lead = s.held = False
        anomaly(&s.rows, BEGINS_INSIDE, s.transfer, s.begin, -1, 0)
        begin_transfer(s, s.begin, False)
    s.scl_stuck = t + s.low_limit
    s.fall = t
    s.moved = -1
    s.ack_high = False
    if t - s.pulse < s.high:
        s.high = t - s.pulse


cdef void on_start(Core* s, int64_t t) noexcept nogil:
    cdef bint inside
    if s.open:
        cut_byte(s, t, CUT_BY_START)
        end_message(s, t)
        event(&s.rows, t, E_RESTART, s.transfer)
        begin_phase(s, t, True)
    else:
        inside = end_run(s, CUT_BY_START)
        begin_transfer(s, t, not inside)


cdef void on_stop(Core* s, int64_t t) noexcept nogil:
    cdef bint lead = s.lead
    if s.open:
        cut_byte(s, t, CUT_BY_STOP)
        event(&s.rows, t, E_STOP, s.transfer)
        end_transfer(s, t, True)
    else:
        end_run(s, CUT_BY_STOP)
        if not lead:
            anomaly(&s.rows, STRAY_STOP, -1, t, -1, 0)


cdef inline inlined step(Core* s, int64_t t, int lines) noexcept nogil:
    """One confirmed change: `lines` from sample `t` on."""
    cdef int changed = s.lines ^ lines, sda = lines >> 1
    s.lines = lines
    if changed & SDA:
        s.sda_stuck = FAR if sda else t + s.low_limit
    if changed & SCL:
        if lines & SCL:
            if changed & SDA:
                s.moved = t
            on_rise(s, t, sda)
        else:
            on_fall(s, t)
            if changed & SDA:
                s.moved = t
        if changed == BOTH:
            # Which came first is not known: data, never START or STOP.
            anomaly(&s.rows, SIMULTANEOUS, s.transfer if s.open else -1, t, -1, 0 if lines & SCL else 1)
    elif not lines & SCL:
        s.moved = t
    elif sda:
        on_stop(s, t)
    else:
        on_start(s, t)
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


cdef inline int lines_of(word_t word, int scl, int sda) noexcept nogil:
    return <int> (word >> scl & 1) | <int> (word >> sda & 1) << 1


cdef bint stands(Core* s, const int64_t* at, const word_t* words, int64_t i, int64_t n, int lines) noexcept nogil:
    """Whether the change of `lines` before edge `i` is there to stay, and nothing else is settled before it.

    Then it need not wait among the pending ones: no line changes twice within the filter's width.
    """
    cdef int64_t t = at[i - 1]
    cdef int seen = s.raw ^ lines, after
    while i < n:
        if at[i] - t > s.glitch:
            return True
        after = lines_of(words[i], s.scl_bit, s.sda_bit)
        if (after ^ lines) & seen:
            return False
        seen |= after ^ lines
        lines = after
        i += 1
    return False


cdef inline bint before_byte(Core* s) noexcept nogil:
    """Whether an SCL fall comes next, if the next byte is a whole one."""
    return s.rises == 0 and s.open and s.lines & SCL and not s.pending and s.synced >= 0


cdef int64_t consume(Core* s, const int64_t* at, const word_t* words, int64_t i, int64_t n) noexcept nogil:
    """Takes edges from index `i` on; returns the index of the first one not taken."""
    cdef int lines, scl = s.scl_bit, sda = s.sda_bit
    cdef int64_t t, glitch = s.glitch
    if glitch == 0:
        lines = s.raw
        while i < n and not s.rows.full:
            if before_byte(s) and i > 0:
                i = whole_bytes(s, at, words, i, n)
                if s.rows.full:
                    return i
                lines = s.raw
            s.raw = lines_of(words[i], scl, sda)
            if s.raw != lines:
                lines = s.raw
                if s.deadline < at[i]:
                    expire(s, at[i])
                step(s, at[i], lines)
                s.now = at[i]
            i += 1
        return i
    while i < n and not s.rows.full:
        if before_byte(s) and i > 0:
            i = whole_bytes(s, at, words, i, n)
            if s.rows.full:
                return i
        lines = lines_of(words[i], scl, sda)
        i += 1
        if lines != s.raw:
            t = at[i - 1]
            if s.pending:
                advance(s, t)   # what outlasted the filter no longer holds this one up
            if not s.pending and ((i < n and at[i] - t > glitch) or stands(s, at, words, i, n, lines)):
                s.raw = lines
                if s.deadline < t:
                    expire(s, t)
                step(s, t, lines)
                s.now = t
            else:
                filtered(s, t, lines)
    return i


@cython.final
@cython.auto_pickle(False)
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
            stretched_to(s, end)
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
