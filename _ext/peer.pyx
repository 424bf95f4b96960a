"""The peer's I2C decoder: what sigrok's own (libsigrokdecode 0.5.3, `i2c`) annotates, in content and order.

Deliberately as blind as that one: START and STOP count only while idle or between bytes, an SCL rise wins over
everything, a partial byte is dropped. It is how the strict decoder is proved on real captures, and what
`decode --format sigrok` prints. Nothing is shared with the strict decoder but the column buffers.
"""

cimport cython
from columns cimport Table, column, same
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    RESERVE = 16        # one edge makes at most ten rows
    SCL = 1
    SDA = 2
    START = 0
    RESTART = 1
    STOP = 2
    ACK = 3
    NACK = 4
    BIT = 5
    ADDRESS_READ = 6
    ADDRESS_WRITE = 7
    DATA_READ = 8
    DATA_WRITE = 9
    DIRECTION = 11
    IN_IDLE = 0
    IN_ADDRESS = 1
    IN_DATA = 2
    IN_ACK = 3

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


cdef struct Core:
    Table annotations
    int64_t *start
    int64_t *end
    uint8_t *kind
    uint8_t *value
    int scl_bit, sda_bit
    int lines
    int state
    bint address        # the byte in hand is one
    bint reading
    int bits, byte
    int64_t rises[8]
    int64_t width       # of the eighth bit: as long as the seventh
    int64_t now


cdef inline void annotate(Core* s, int64_t start, int64_t end, int kind, int value) noexcept nogil:
    cdef int64_t n = s.annotations.n
    s.annotations.n = n + 1
    s.start[n] = start
    s.end[n] = end
    s.kind[n] = kind
    s.value[n] = value


cdef inline void begin_byte(Core* s, int state) noexcept nogil:
    s.state = state
    s.bits = s.byte = 0


cdef void byte_complete(Core* s) noexcept nogil:
    cdef int64_t last = s.rises[7]
    cdef int k, kind
    s.width = last - s.rises[6]
    for k in range(7, -1, -1):
        annotate(s, s.rises[k], s.rises[k + 1] if k < 7 else last + s.width, BIT, s.byte >> (7 - k) & 1)
    if s.state == IN_ADDRESS:
        s.reading = s.byte & 1
        annotate(s, last, last + s.width, DIRECTION, s.reading)
        annotate(s, s.rises[0], last, ADDRESS_READ if s.reading else ADDRESS_WRITE, s.byte >> 1)
    else:
        kind = DATA_READ if s.reading else DATA_WRITE
        annotate(s, s.rises[0], last + s.width, kind, s.byte)
    s.state = IN_ACK


cdef inline void step(Core* s, int64_t t, int lines) noexcept nogil:
    """One change of the lines, to `lines` at sample `t`."""
    cdef int changed = s.lines ^ lines
    cdef bint rose = changed & lines & SCL, sda = lines >> 1
    s.lines = lines
    if s.state == IN_IDLE:
        # SCL may have risen on this very sample.
        if lines & SCL and changed & SDA and not sda:
            annotate(s, t, t, START, 0)
            begin_byte(s, IN_ADDRESS)
    elif rose:
        if s.state == IN_ACK:
            annotate(s, t, t + s.width, NACK if sda else ACK, 0)
            begin_byte(s, IN_DATA)
            return
        s.byte = s.byte << 1 | sda
        s.rises[s.bits] = t
        s.bits += 1
        if s.bits == 8:
            byte_complete(s)
    elif s.state == IN_DATA and lines & SCL and changed & SDA:
        if sda:
            annotate(s, t, t, STOP, 0)
            s.state = IN_IDLE
        else:
            annotate(s, t, t, RESTART, 0)
            begin_byte(s, IN_ADDRESS)


cdef int64_t consume(Core* s, const int64_t* at, const word_t* words, int64_t i, int64_t n) noexcept nogil:
    """Takes edges from index `i` on; returns the index of the first one not taken."""
    cdef int lines
    while i < n and s.annotations.n < s.annotations.mark:
        lines = <int> (words[i] >> s.scl_bit & 1) | <int> (words[i] >> s.sda_bit & 1) << 1
        if lines != s.lines:
            step(s, at[i], lines)
        i += 1
    return i


@cython.final
@cython.auto_pickle(False)
cdef class PeerDecoder:
    """The peer's decoder of one bus; see `_peer.pyi`."""

    cdef Core s
    cdef bint ready, begun, all_done
    cdef list kept

    def __init__(self, int scl, int sda):
        if not (0 <= scl < 64 and 0 <= sda < 64) or scl == sda:
            raise ValueError(f"scl and sda are two different bits from 0 to 63, not {scl} and {sda}")
        self.s.scl_bit, self.s.sda_bit = scl, sda

    def bind(self, dict tables):
        cdef list arrays = [array for columns in tables.values() for array in columns.values()]
        if self.ready and same(arrays, self.kept):
            self.s.annotations.n = 0
            return
        cdef Core s = self.s
        s.annotations = Table(0, 0)
        s.start = <int64_t*> column(tables, "annotations", "start", "int64", &s.annotations, RESERVE)
        s.end = <int64_t*> column(tables, "annotations", "end", "int64", &s.annotations, RESERVE)
        s.kind = <uint8_t*> column(tables, "annotations", "kind", "uint8", &s.annotations, RESERVE)
        s.value = <uint8_t*> column(tables, "annotations", "value", "uint8", &s.annotations, RESERVE)
        self.s = s
        self.kept = arrays
        self.ready = True

    def feed(self, const int64_t[::1] at, words, int64_t start, initial, int64_t end):
        cdef Core* s = &self.s
        cdef int64_t n = at.shape[0], taken = start
        cdef int lines = (initial >> s.scl_bit & 1) | (initial >> s.sda_bit & 1) << 1
        cdef const uint8_t[::1] w8
        cdef const uint16_t[::1] w16
        cdef const uint32_t[::1] w32
        cdef const uint64_t[::1] w64
        if not self.ready:
            raise ValueError("no tables are bound")
        if words.shape[0] != n or not 0 <= start <= n:
            raise ValueError(f"{n} edges, {words.shape[0]} words, start {start}")
        if end < s.now or (start < n and (at[start] < s.now or at[n - 1] >= end)):
            raise ValueError(f"edges up to sample {end} do not follow on sample {s.now}")
        if words.dtype.kind != "u" or not words.dtype.isnative:
            raise ValueError(f"words are {words.dtype}, not uint8, uint16, uint32 or uint64")
        if not self.begun:
            self.begun = True
            s.lines = lines
        elif start == 0 and lines != s.lines:
            raise ValueError(f"the block that ends at sample {end} begins with other lines than the last one left")
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
        self.all_done = taken == n
        s.now = end if self.all_done else at[taken]
        return taken

    def finish(self, int64_t end):
        if end < self.s.now:
            raise ValueError(f"the capture cannot end before sample {end}: time is at {self.s.now}")
        # The end of a capture makes the peer say nothing.

    @property
    def done(self):
        return self.all_done

    @property
    def counts(self):
        return (self.s.annotations.n,)
