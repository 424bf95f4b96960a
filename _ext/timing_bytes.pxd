"""Bytes of the timing walk: how late data was valid, and whole bytes in one go.

Of a whole byte's nine clocks, only what is shorter or longer than all before is looked at one by one.
"""

from clocks cimport EDGES, Clocks, nine
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from spikes cimport Spikes
from timing_rows cimport F_SCL, HD_DAT, HD_STA, HIGH, LOW, SU_DAT, VD_ACK, VD_DAT, Extremes, add
from timing_state cimport CLOCKS, SCL, Walk, inlined, measure

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef inline inlined low_phase(Walk* w, int64_t low) noexcept nogil:
    if w.span_n == 0:
        w.span_at = w.fall
    w.span += low
    w.span_n += 1
    w.total += low


cdef inline void end_span(Walk* w) noexcept nogil:
    """START or an ACK ends one count of low phases; the next one begins."""
    if w.span_n and w.span > w.sums[w.span_n]:
        w.sums[w.span_n] = w.span
        w.sums_at[w.span_n] = w.span_at
    w.span = w.span_n = 0


cdef inline inlined low_begins(Walk* w, int64_t t) noexcept nogil:
    """SCL falls in an open transfer."""
    if w.hold >= 0:
        measure(w, HD_STA, t - w.hold, w.hold)
        w.hold = -1
    if w.pulse >= 0:
        measure(w, HIGH, t - w.pulse, w.pulse)
        if w.set_up >= 0:
            measure(w, SU_DAT, w.pulse - w.set_up, w.set_up)
        w.pulse = -1
    w.fall = t
    w.first = w.last = -1


cdef inline void add_all(Extremes* e, const int64_t* values, const int64_t* at, int n) noexcept nogil:
    cdef int k
    for k in range(n):
        add(e, values[k], at[k])


cdef inline void add_some(
    Extremes* e, const int64_t* begins, const int64_t* ends, const int64_t* at, const int64_t* there, int n
) noexcept nogil:
    cdef int k
    for k in range(n):
        if there[k] >= 0:
            add(e, ends[k] - begins[k], at[k])


cdef inline inlined measure_all(Walk* w, int parameter, const int64_t* values, const int64_t* at, int n) noexcept nogil:
    """`n` values that there are all of, in order."""
    cdef Extremes* e = &w.each[parameter]
    cdef int64_t beyond = -(e.n == 0)   # negative: one lies outside of what was seen
    cdef int k
    for k in range(n):
        beyond |= (values[k] - e.low) | (e.high - values[k])
    if beyond < 0:
        add_all(e, values, at, n)
    else:
        e.n += n


cdef inline inlined measure_some(
    Walk* w, int parameter, const int64_t* begins, const int64_t* ends, const int64_t* at, const int64_t* there, int n
) noexcept nogil:
    """What lies between `begins` and `ends`, in order, for those of `n` clocks of which `there` is not negative."""
    cdef Extremes* e = &w.each[parameter]
    cdef int64_t value, none, count = n, beyond = -(e.n == 0)
    cdef int k
    for k in range(n):
        none = there[k] >> 63
        value = ends[k] - begins[k]
        beyond |= ((value - e.low) | (e.high - value)) & ~none
        count += none
    if beyond < 0:
        add_some(e, begins, ends, at, there, n)
    else:
        e.n += count


cdef inline void byte_done(Walk* w, int64_t shortest) noexcept nogil:
    """The 9th rise: how late data was valid, where nobody held the clock for it (UM10204, table 10, footnote 4).

    `shortest`: of the byte's low phases. Of SDA's changes those count whose level was the target's to set, as far as
    the wire can tell: where SDA changes hands a rise may be the other one letting go; a fall is the new one's.
    """
    cdef int64_t there[CLOCKS - 1]
    cdef int64_t limit = 2 * shortest + 2
    cdef bint read = w.reading and w.index > 0
    cdef int k
    if read:
        for k in range(CLOCKS - 1):
            there[k] = w.moves[k] | -<int64_t> (w.lows[k] > limit)
        if w.bits >> (CLOCKS - 1) & 1:
            there[0] = -1
        measure_some(w, VD_DAT, w.falls, w.moves, w.falls, there, CLOCKS - 1)
    elif w.moves[CLOCKS - 1] >= 0 and w.lows[CLOCKS - 1] <= limit and not w.bits & 1:
        measure(w, VD_ACK, w.moves[CLOCKS - 1] - w.falls[CLOCKS - 1], w.falls[CLOCKS - 1])
    end_span(w)
    w.clock = w.bits = 0
    w.index += 1


cdef inline int64_t whole_bytes(Walk* w, const int64_t* at, const word_t* words, int64_t i, int64_t n) noexcept nogil:
    """Takes bytes from edge `i` on while they are whole; returns the index of the first edge not taken.

    In an open transfer, at a byte's first SCL fall, with nothing pending and `i` > 0. What `nine` leaves in `falls` and
    `moves` of a byte that is not taken is no loss: the steps write them before they read them.
    """
    cdef Clocks c
    cdef int64_t firsts[CLOCKS]
    cdef int64_t highs[CLOCKS]
    cdef int64_t periods[CLOCKS]
    cdef int64_t behind, end, low, low_min, high_min, span
    cdef int64_t width = w.spikes.width
    cdef int k
    while n - i >= EDGES:
        behind = nine(&c, w.falls, firsts, w.moves, at, words, i, n, w.scl_bit, w.sda_bit, width, True)
        if behind < 0:
            return i
        end = c.rises[CLOCKS - 1]
        if w.end < w.n_ends and w.ends[w.end] < end:    # timed out on the way
            return i
        low_min = span = w.lows[0] = c.rises[0] - w.falls[0]
        high_min = at[behind] - end
        for k in range(1, CLOCKS):
            w.lows[k] = low = c.rises[k] - w.falls[k]
            highs[k - 1] = w.falls[k] - c.rises[k - 1]
            periods[k - 1] = c.rises[k] - c.rises[k - 1]
            low_min = low if low < low_min else low_min
            high_min = highs[k - 1] if highs[k - 1] < high_min else high_min
            span += low
        if low_min <= width or high_min <= width:
            return i
        low_begins(w, w.falls[0])
        if w.rise >= 0:
            measure(w, F_SCL, c.rises[0] - w.rise, w.rise)
        measure_all(w, F_SCL, periods, c.rises, CLOCKS - 1)
        measure_all(w, LOW, w.lows, w.falls, CLOCKS)
        measure_all(w, HIGH, highs, c.rises, CLOCKS - 1)
        measure_some(w, HD_DAT, w.falls, firsts, w.falls, firsts, CLOCKS)
        measure_some(w, SU_DAT, w.moves, c.rises, w.moves, w.moves, CLOCKS - 1)
        w.span_at = w.falls[0]
        w.span = span
        w.span_n = CLOCKS
        w.total += span
        w.bits = c.value
        if w.index == 0:
            w.reading = c.value >> 1 & 1
        w.rise = w.pulse = end
        w.fall = w.falls[CLOCKS - 1]
        w.first = firsts[CLOCKS - 1]
        w.last = w.set_up = w.moves[CLOCKS - 1]
        w.lines = w.spikes.raw = SCL | (c.value & 1) << 1
        byte_done(w, low_min)
        i = behind
    return i
