"""The spike filter of one bus: a change of SCL or SDA counts once it has lasted for more than `width` samples.

Pulled rather than pushed: `settled` gives the next change that counts, in order; `changed` takes one as it was sampled.
"""

from libc.stdint cimport int64_t


cdef struct Spikes:
    int64_t width       # the longest pulse that is ignored, in samples
    int raw             # the lines before the filter; bit 0 SCL, bit 1 SDA
    int pending         # lines whose last change does not count yet
    int64_t pending_at[2]


cdef inline int settled(Spikes* f, int64_t before, int64_t* at) noexcept nogil:
    """Which lines changed for good next, and where, before sample `before`; 0: none, for all that is known."""
    cdef int which
    if f.pending == 0:
        return 0
    which = f.pending
    if which == 3 and f.pending_at[0] != f.pending_at[1]:
        which = 1 if f.pending_at[0] < f.pending_at[1] else 2
    at[0] = f.pending_at[0] if which & 1 else f.pending_at[1]
    if at[0] >= before:
        return 0
    f.pending &= ~which
    return which


cdef inline int64_t earliest(Spikes* f, int64_t at) noexcept nogil:
    """`at`, or the earliest change that is still pending."""
    if f.pending & 1 and f.pending_at[0] < at:
        at = f.pending_at[0]
    if f.pending & 2 and f.pending_at[1] < at:
        at = f.pending_at[1]
    return at


cdef inline int64_t changed(Spikes* f, int64_t at, int line) noexcept nogil:
    """`line` (0 SCL, 1 SDA) changes at `at`: the sample in which the spike began that this ends, -1 for none."""
    cdef int bit = 1 << line
    f.raw ^= bit
    if f.pending & bit:
        f.pending &= ~bit
        return f.pending_at[line]
    f.pending |= bit
    f.pending_at[line] = at
    return -1
