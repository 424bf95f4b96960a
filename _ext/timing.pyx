"""Bus timing: every parameter of UM10204's timing table, per transfer, between the edges the specification names.

A second walk over the edges of one bus, behind the strict decoder: that one says where transfers begin and end, and
this one sees the same changes, for its spike filter is the same. Kept apart, so that decoding costs nothing for what
most captures are never asked. What is measured from where to where is listed in `_timing.pyi`.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset
from spikes cimport changed, earliest, settled
from timing_bytes cimport byte_done, end_span, low_begins, low_phase, whole_bytes
from timing_rows cimport (
    BUF, COLUMNS, F_SCL, HD_DAT, LOW, MEXT, PARAMETERS, SEXT, SPIKE, SU_STA, SU_STO, TIMEOUT, Extremes, add, write,
)
from timing_state cimport CLOCKS, SCL, SDA, Walk, inlined, measure

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t

# Low phases that are held -------------------------------------------------------------------------------------------

cdef void held_low(Walk* w, int64_t cut) noexcept nogil:
    """TIMEOUT, SEXT and MEXT: the longest low phase, and what was held beyond the transfer's shortest one.

    `cut`: the capture ends here, maybe in a low phase, which counts as far as it was seen; -1 elsewhere.
    """
    cdef Extremes* low = &w.each[LOW]
    cdef int64_t held = cut - w.fall, excess, n = low.n
    cdef int k
    w.each[TIMEOUT] = low[0]
    if cut >= 0 and w.fall >= 0 and not w.lines & SCL:
        add(&w.each[TIMEOUT], held, w.fall)
        if n and held > low.low:
            n += 1
            low_phase(w, held)
    end_span(w)
    if low.n == 0:
        return
    measure(w, SEXT, w.total - n * low.low, w.began)
    w.each[SEXT].n = n
    for k in range(1, CLOCKS + 1):
        if w.sums[k]:
            excess = w.sums[k] - k * low.low
            if w.each[MEXT].n == 0 or excess > w.each[MEXT].high:
                w.each[MEXT] = Extremes(k, excess, w.sums_at[k], excess, w.sums_at[k])


# Transfers ----------------------------------------------------------------------------------------------------------

cdef void begin_phase(Walk* w, int64_t start) noexcept nogil:
    """START or repeated START at `start`; -1: the capture does not show it."""
    w.hold = start
    w.rise = w.fall = w.pulse = w.first = w.last = w.set_up = -1
    w.clock = w.index = w.bits = 0
    w.reading = False


cdef void begin_transfer(Walk* w) noexcept nogil:
    w.open = True
    w.began = w.starts[w.start]
    w.start += 1
    memset(w.each, 0, sizeof(w.each))
    memset(w.sums, 0, sizeof(w.sums))
    w.span = w.span_n = w.total = 0


cdef void end_transfer(Walk* w, int64_t cut) noexcept nogil:
    held_low(w, cut)
    w.rows += write(w.each, w.transfer, w.out + w.rows * COLUMNS)
    w.open = False
    w.transfer += 1
    w.end += 1


cdef inline inlined let_pass(Walk* w, int64_t t) noexcept nogil:
    """Time has come to sample `t`: a transfer that timed out before it is over."""
    if w.open and w.end < w.n_ends and w.ends[w.end] < t:
        end_transfer(w, -1)


# Steps --------------------------------------------------------------------------------------------------------------

cdef inline inlined on_rise(Walk* w, int64_t t, int sda) noexcept nogil:
    cdef int k = w.clock
    cdef int64_t shortest
    if not w.open or w.fall < 0:
        return
    measure(w, LOW, t - w.fall, w.fall)
    low_phase(w, t - w.fall)
    if w.first >= 0:
        measure(w, HD_DAT, w.first - w.fall, w.fall)
    if w.rise >= 0:
        measure(w, F_SCL, t - w.rise, w.rise)
    w.rise = w.pulse = t
    w.set_up = w.last
    w.lows[k] = t - w.fall
    w.falls[k] = w.fall
    w.moves[k] = w.last
    w.bits = w.bits << 1 | sda
    if k == 7 and w.index == 0:
        w.reading = sda
    w.clock = k + 1
    if w.clock == CLOCKS:
        shortest = w.lows[0]
        for k in range(1, CLOCKS):
            shortest = w.lows[k] if w.lows[k] < shortest else shortest
        byte_done(w, shortest)


cdef inline inlined on_fall(Walk* w, int64_t t) noexcept nogil:
    if not w.open:
        w.stop = -1
        if w.start == w.n_starts or w.starts[w.start] >= t:
            return
        # SDA was low when the capture began, and now the clock: the decoder takes it for a transfer's beginning.
        begin_transfer(w)
        begin_phase(w, -1)
    low_begins(w, t)


cdef inline inlined on_move(Walk* w, int64_t t) noexcept nogil:
    """SDA changes while SCL is low, or in the sample in which SCL changes."""
    if w.first < 0:
        w.first = t
    w.last = t


cdef void on_start(Walk* w, int64_t t) noexcept nogil:
    if w.open:
        if w.pulse >= 0:
            measure(w, SU_STA, t - w.pulse, w.pulse)
        end_span(w)
    elif w.start < w.n_starts and w.starts[w.start] == t:
        begin_transfer(w)
        if w.stop >= 0:
            measure(w, BUF, t - w.stop, w.stop)
    else:
        w.astray = True
        return
    w.stop = -1
    begin_phase(w, t)


cdef void on_stop(Walk* w, int64_t t) noexcept nogil:
    w.stop = t
    if not w.open:
        return
    if w.end == w.n_ends or w.ends[w.end] != t:
        w.astray = True
        return
    if w.pulse >= 0:
        measure(w, SU_STO, t - w.pulse, w.pulse)
    end_transfer(w, -1)


cdef inline inlined step(Walk* w, int64_t t, int which) noexcept nogil:
    """The lines `which` change for good at `t`."""
    cdef int lines = w.lines ^ which
    w.lines = lines
    let_pass(w, t)
    if which & SCL:
        if lines & SCL:
            if which & SDA:
                on_move(w, t)
            on_rise(w, t, lines >> 1)
        else:
            on_fall(w, t)
            if which & SDA:
                on_move(w, t)
    elif not lines & SCL:
        on_move(w, t)
    elif lines & SDA:
        on_stop(w, t)
    else:
        on_start(w, t)


cdef void confirm(Walk* w, int64_t before) noexcept nogil:
    """Steps over the changes made before sample `before` that count."""
    cdef int64_t at
    cdef int which
    while True:
        which = settled(&w.spikes, before, &at)
        if which == 0:
            return
        step(w, at, which)


cdef void advance(Walk* w, int64_t t) noexcept nogil:
    """All samples before `t` are known."""
    confirm(w, t - w.spikes.width)
    let_pass(w, earliest(&w.spikes, t))


cdef void filtered(Walk* w, int64_t t, int lines) noexcept nogil:
    """One sampled change, before the spike filter."""
    cdef int64_t begin
    cdef int k, both = w.spikes.raw ^ lines
    advance(w, t)
    for k in range(2):
        if both >> k & 1:
            begin = changed(&w.spikes, t, k)
            if begin >= 0 and w.open:
                measure(w, SPIKE, t - begin, begin)


cdef void consume(Walk* w, const int64_t* at, const word_t* words, int64_t n) noexcept nogil:
    cdef int64_t i = 0, t
    cdef int lines, which
    while i < n:
        if w.open and w.clock == 0 and w.lines & SCL and w.spikes.pending == 0 and i > 0:
            i = whole_bytes(w, at, words, i, n)
            # At least this one is for the steps.
        lines = <int> (words[i] >> w.scl_bit & 1) | <int> (words[i] >> w.sda_bit & 1) << 1
        i += 1
        which = w.spikes.raw ^ lines
        if which == 0:
            continue
        t = at[i - 1]
        if w.spikes.pending:
            advance(w, t)
        if w.spikes.pending == 0 and (w.spikes.width == 0 or (i < n and at[i] - t > w.spikes.width)):
            w.spikes.raw = lines
            step(w, t, which)
        else:
            filtered(w, t, lines)


@cython.final
@cython.auto_pickle(False)
cdef class Walker:
    """Measures one bus; see `_timing.pyi`."""

    cdef Walk w
    cdef bint begun, finished
    cdef int64_t now

    def __init__(self, int scl, int sda, *, int64_t glitch, int64_t begin=0):
        cdef Walk* w = &self.w
        if not (0 <= scl < 64 and 0 <= sda < 64) or scl == sda:
            raise ValueError(f"scl and sda are two different bits from 0 to 63, not {scl} and {sda}")
        if glitch < 0 or begin < 0:
            raise ValueError(f"glitch and begin are numbers of samples, not {glitch} and {begin}")
        w.scl_bit, w.sda_bit = scl, sda
        w.spikes.width = glitch
        w.stop = w.hold = w.rise = w.fall = w.pulse = w.first = w.last = w.set_up = -1
        self.now = begin

    cdef int64_t attend(
        self, const int64_t[::1] starts, const int64_t[::1] ends, int64_t[:, ::1] out
    ) except -1:
        """What the decoder said, and where rows go."""
        cdef Walk* w = &self.w
        if self.finished:
            raise ValueError("the walk is finished")
        if out.shape[1] != COLUMNS or out.shape[0] < PARAMETERS * ends.shape[0]:
            raise ValueError(f"{ends.shape[0]} transfers need {PARAMETERS} rows of {COLUMNS} each")
        w.starts = &starts[0] if starts.shape[0] else NULL
        w.ends = &ends[0] if ends.shape[0] else NULL
        w.out = &out[0, 0] if out.shape[0] else NULL
        w.n_starts, w.n_ends = starts.shape[0], ends.shape[0]
        w.start = w.end = w.rows = 0
        return 0

    cdef int64_t done(self) except -1:
        cdef Walk* w = &self.w
        if w.astray or w.start != w.n_starts or w.end != w.n_ends:
            raise ValueError(f"the transfers before sample {self.now} are not those on the lines")
        w.starts = w.ends = NULL
        w.out = NULL
        return w.rows

    def feed(
        self,
        const int64_t[::1] at,
        words,
        initial,
        int64_t end,
        const int64_t[::1] starts,
        const int64_t[::1] ends,
        int64_t[:, ::1] out,
    ):
        cdef Walk* w = &self.w
        cdef int64_t n = at.shape[0]
        cdef int lines = (initial >> w.scl_bit & 1) | (initial >> w.sda_bit & 1) << 1
        cdef const uint8_t[::1] w8
        cdef const uint16_t[::1] w16
        cdef const uint32_t[::1] w32
        cdef const uint64_t[::1] w64
        if words.shape[0] != n or words.dtype.kind != "u" or not words.dtype.isnative:
            raise ValueError(f"{n} edges, {words.shape[0]} words of {words.dtype}")
        if end < self.now or (n and (at[0] < self.now or at[n - 1] >= end)):
            raise ValueError(f"edges up to sample {end} do not follow on sample {self.now}")
        self.attend(starts, ends, out)
        if not self.begun:
            self.begun = True
            w.lines = w.spikes.raw = lines
        elif lines != w.spikes.raw:
            raise ValueError(f"the block that ends at sample {end} begins with other lines than the last one left")
        if n:
            if words.itemsize == 1:
                w8 = words
                with nogil:
                    consume[uint8_t](w, &at[0], &w8[0], n)
            elif words.itemsize == 2:
                w16 = words
                with nogil:
                    consume[uint16_t](w, &at[0], &w16[0], n)
            elif words.itemsize == 4:
                w32 = words
                with nogil:
                    consume[uint32_t](w, &at[0], &w32[0], n)
            else:
                w64 = words
                with nogil:
                    consume[uint64_t](w, &at[0], &w64[0], n)
        advance(w, end)
        self.now = end
        return self.done()

    def finish(
        self, int64_t end, const int64_t[::1] starts, const int64_t[::1] ends, int64_t[:, ::1] out
    ):
        cdef Walk* w = &self.w
        if end < self.now:
            raise ValueError(f"the capture cannot end before sample {end}: time is at {self.now}")
        self.attend(starts, ends, out)
        self.finished = True
        self.now = end
        if self.begun:
            confirm(w, end)
            let_pass(w, end)
            if w.open and w.end < w.n_ends:
                end_transfer(w, end)
        return self.done()
