"""What the strict decoder measures beside the bits: the SCL period, and stretched low phases."""

from i2c_rows cimport Rows, grow
from i2c_state cimport DATA, FAR, SCL, Core
from libc.stdint cimport int64_t, uint64_t


cdef inline int64_t limit_of(Core* s, int64_t period) noexcept nogil:
    """Both lines high for longer than max(idle, 10 SCL periods) end things; never when neither is known."""
    cdef int64_t clocks = 10 * period if period < FAR // 10 else FAR
    if clocks < s.idle:
        clocks = s.idle
    return clocks if clocks else FAR


cdef inline void set_limit(Core* s, int64_t guess) noexcept nogil:
    """The limit for the period that is known.

    Before two SCL rises showed a period, the latest transfer's stands in, or `guess` when that is longer: a slow bus
    keeps its lines high for more than `idle` within its first bit.
    """
    cdef int64_t period = s.shortest
    if period == 0:
        period = s.last_shortest if s.last_shortest > guess else guess
    s.limit = limit_of(s, period)


cdef inline int64_t up_to(const int64_t* a, int64_t n, int64_t value) noexcept nogil:
    """How many of a[:n] are `value` or less."""
    cdef int64_t count = 0, i
    for i in range(n):
        count += <int64_t> (<uint64_t> (a[i] - value - 1) >> 63)    # the sign, which needs no branch
    return count


cdef inline int64_t median(const int64_t* a, int64_t n, int64_t least) noexcept nogil:
    """Lower median of a[:n], of which none is less than `least`; 0 for none.

    Sought by value, in steps that double: a transfer's periods differ by a few samples, so that it is near the least.
    """
    cdef int64_t k = (n - 1) // 2, low = least - 1, high = least, middle
    if n == 0:
        return 0
    while up_to(a, n, high) <= k:
        middle = high
        high += 2 * (high - low)
        low = middle
    while high - low > 1:
        middle = low + (high - low) // 2
        if up_to(a, n, middle) > k:
            high = middle
        else:
            low = middle
    return high


cdef inline int held_by(Core* s, int bit, int64_t low, int64_t begin, int64_t moved, int sda) noexcept nogil:
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


cdef inline void stretched(Core* s, int bit, int k, int sda) noexcept nogil:
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
    r.stretch_complete[n] = True
    s.stretch += low - s.nominal


cdef inline void stretched_to(Core* s, int64_t end) noexcept nogil:
    """A row for the low phase that the capture's end cut, when it is longer than nominal already.

    Nominal is the shortest low phase of its byte; before that has one, that of the byte before, if any.
    """
    cdef int64_t low = end - s.fall, nominal = s.low_min if s.rises else s.nominal, n
    cdef Rows* r = &s.rows
    if s.lines & SCL or nominal == 0 or low <= 2 * nominal + 2:
        return
    n = grow(r, &r.stretches)
    r.stretch_transfer[n] = s.transfer
    r.stretch_message[n] = s.n_messages - 1 if s.message else -1
    r.stretch_bit[n] = s.rises if s.rises or s.index == 0 else 9
    r.stretch_begin[n] = s.fall
    r.stretch_end[n] = end
    r.stretch_excess[n] = low - nominal
    r.stretch_held_by[n] = 0
    r.stretch_complete[n] = False
    s.stretch += low - nominal
