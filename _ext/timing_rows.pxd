"""What is measured of one transfer: for each parameter the extremes and where they were; and its rows."""

from libc.stdint cimport int64_t

cdef enum:
    F_SCL = 0           # the order of `words.PARAMETERS`
    HD_STA = 1
    LOW = 2
    HIGH = 3
    SU_STA = 4
    HD_DAT = 5
    SU_DAT = 6
    SU_STO = 7
    BUF = 8
    VD_DAT = 9
    VD_ACK = 10
    SPIKE = 11
    TIMEOUT = 12
    SEXT = 13
    MEXT = 14
    PARAMETERS = 15
    COLUMNS = 7


cdef struct Extremes:
    int64_t n
    int64_t low, low_at
    int64_t high, high_at


cdef inline void add(Extremes* e, int64_t value, int64_t at) noexcept nogil:
    if e.n == 0:
        e.low = e.high = value
        e.low_at = e.high_at = at
    elif value < e.low:
        e.low = value
        e.low_at = at
    elif value > e.high:
        e.high = value
        e.high_at = at
    e.n += 1


cdef inline int64_t write(Extremes* each, int64_t transfer, int64_t* out) noexcept nogil:
    """A row for each parameter that was seen; returns how many."""
    cdef int p
    cdef int64_t n = 0
    for p in range(PARAMETERS):
        if each[p].n:
            out[0] = transfer
            out[1] = p
            out[2] = each[p].n
            out[3] = each[p].low
            out[4] = each[p].low_at
            out[5] = each[p].high
            out[6] = each[p].high_at
            out += COLUMNS
            n += 1
    return n
