"""What the timing walk knows of one bus."""

from libc.stdint cimport int64_t
from spikes cimport Spikes
from timing_rows cimport PARAMETERS, Extremes, add

cdef extern from *:
    """
    #ifdef __GNUC__
    #define TRACECHECK_TIMING_INLINED __attribute__((always_inline)) void
    #else
    #define TRACECHECK_TIMING_INLINED void
    #endif
    """
    ctypedef void inlined "TRACECHECK_TIMING_INLINED"

cdef enum:
    SCL = 1
    SDA = 2
    BOTH = 3
    CLOCKS = 9      # of a byte with its ACK


cdef struct Walk:
    int scl_bit, sda_bit
    Spikes spikes
    int lines           # after the spike filter
    # what the decoder says of this block, and what was used of it
    const int64_t* starts
    const int64_t* ends
    int64_t n_starts, n_ends, start, end
    bint astray         # it does not fit what is on the lines
    # rows
    int64_t* out
    int64_t rows
    # between transfers
    int64_t stop        # the latest STOP, -1: none, or the clock has run since
    # transfer
    bint open
    int64_t transfer
    Extremes each[PARAMETERS]
    # since the latest START or repeated START; -1: none yet
    int64_t hold        # the START, until SCL falls
    int64_t rise, fall
    int64_t pulse       # the rise of the SCL pulse in hand, while no START or STOP fell into it
    int64_t first, last     # SDA's first and last change in this low phase
    int64_t set_up      # SDA's last change before the pulse in hand
    # byte
    int clock, index
    bint reading
    int bits
    int64_t lows[CLOCKS]
    int64_t falls[CLOCKS]
    int64_t moves[CLOCKS]
    # low phases since START or the last ACK, and for each count of them the longest sum there was
    int64_t span, span_at
    int span_n
    int64_t sums[CLOCKS + 1]
    int64_t sums_at[CLOCKS + 1]
    int64_t total, began


cdef inline inlined measure(Walk* w, int parameter, int64_t value, int64_t at) noexcept nogil:
    add(&w.each[parameter], value, at)
