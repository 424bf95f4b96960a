"""Whole bytes in one go: nine clocks whose edges are as data's are, which is nearly all there is on a busy bus.

What a byte does to the decoder's state is then known beforehand. Where anything else is on the lines nothing is taken,
and the steps have it.
"""

from clocks cimport CLOCKS, EDGES, Clocks, follow, nine
from i2c_frames cimport byte_answered, byte_complete
from i2c_measure cimport limit_of, set_limit
from i2c_spans cimport SHORT, Spans, spans
from i2c_state cimport FAR, PERIODS, SCL, Core
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef inline int64_t whole_bytes(Core* s, const int64_t* at, const word_t* words, int64_t i, int64_t n) noexcept nogil:
    """Takes bytes from edge `i` on while they are whole; returns the index of the first edge not taken.

    What `nine` leaves in `falls` and `moves` of a byte that is not taken is no loss: they are of use from a rise on.
    In an open transfer on a bus that was free before, at a byte's first SCL fall, with nothing pending and `i` > 0.
    """
    cdef Clocks c
    cdef Spans m
    cdef int64_t behind, end, high, shortest, guess
    cdef int64_t periods[CLOCKS - 1]
    cdef int64_t* kept
    cdef int k, sda
    while n - i >= EDGES and at[i] <= s.deadline and not s.rows.full:
        behind = nine(&c, s.falls, s.moves, s.moves, at, words, i, n, s.scl_bit, s.sda_bit, s.glitch, False)
        if behind < 0:
            return i
        end = c.rises[CLOCKS - 1]
        kept = &s.periods[s.n_periods] if s.n_periods <= PERIODS - CLOCKS + 1 else periods
        spans(&m, s.falls, c.rises, kept, end - s.falls[0] <= SHORT)
        shortest = m.shortest if s.shortest == 0 or m.shortest < s.shortest else s.shortest
        if m.low_min <= s.glitch or m.high_min <= s.glitch or at[behind] - end <= s.glitch:
            return i
        # No time-out on the way: not by the limit at the end, nor by the one that a first period was guessed for.
        guess = shortest
        if s.shortest == 0:
            guess = 2 * (c.rises[0] - s.falls[0])
            guess = guess if guess > s.last_shortest else s.last_shortest
            guess = shortest if shortest < guess else guess
        if m.high_max > limit_of(s, guess) or end - s.falls[0] > s.low_limit or end > s.sda_stuck:
            return i
        high = s.falls[0] - s.pulse
        high = high if high < m.high_min else m.high_min
        s.high = high if high < s.high else s.high
        s.low = m.low_min if m.low_min < s.low else s.low
        s.low_min = m.low_min
        s.low_max = m.low_max
        if kept == periods:
            for k in range(PERIODS - s.n_periods):
                s.periods[s.n_periods + k] = periods[k]
            s.n_periods = PERIODS
        else:
            s.n_periods += CLOCKS - 1
        if m.low_max > 2 * m.low_min + 2:
            # A low phase is stretched, and only now it matters how long each was, and when SDA changed.
            for k in range(CLOCKS):
                s.lows[k] = c.rises[k] - s.falls[k]
            follow(
                &c, s.falls, s.moves, s.moves, at, words, i, n, <word_t> (<uint64_t> 1 << s.scl_bit),
                <word_t> (<uint64_t> 1 << s.sda_bit), s.glitch,
            )
        if shortest != s.shortest:
            s.shortest = shortest
            set_limit(s, 0)
        s.fall = s.falls[CLOCKS - 1]
        s.first_rise = c.rises[0]
        s.value = c.value >> 1
        s.rise = c.rises[CLOCKS - 2]
        byte_complete(s)
        s.rise = s.pulse = s.now = end
        sda = c.value & 1
        byte_answered(s, not sda)
        s.lines = s.raw = SCL | sda << 1
        s.scl_stuck = FAR
        if c.last >= 0:
            s.sda_stuck = FAR if sda else c.last + s.low_limit
        s.deadline = end + s.limit if sda else (s.sda_stuck if s.sda_stuck < FAR else FAR)
        i = behind
    return i
