"""A file's samples, inflated and scanned in one go: what leaves here is edges, and the samples never leave the cache.

One `Stream` takes members one after the other, their compressed bytes in pieces, and inflates into a window that it
scans before inflating on. Memory is the window, whatever the members claim or hold. Samples may straddle windows and
members. The vendored libdeflate inflates and computes the CRC; `vendor/libdeflate/ORIGIN.md` tells how it came here.

The loop is `nogil` and `noexcept`; arguments are checked at entry.
"""

cimport cython
from blocks cimport has_wide
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memmove, memset
from scanner cimport fill_edges, word_t

cdef extern from "vendor/libdeflate/lib/window.h":
    ctypedef struct Decompressor "struct libdeflate_decompressor":
        pass
    ctypedef struct Window "struct libdeflate_window":
        const uint8_t* in_next
        const uint8_t* in_end
        int last_input
        uint8_t* out_begin
        uint8_t* out_next
        uint8_t* out_end
    Decompressor* libdeflate_alloc_decompressor() noexcept nogil
    void libdeflate_free_decompressor(Decompressor*) noexcept nogil
    uint32_t libdeflate_crc32(uint32_t crc, const void* data, size_t size) noexcept nogil
    int libdeflate_deflate_window(Decompressor*, Window*) noexcept nogil
    enum:
        OVERRUN "LIBDEFLATE_WINDOW_OVERRUN"
        KEEP "LIBDEFLATE_WINDOW_KEEP"
        MARGIN "LIBDEFLATE_WINDOW_MARGIN"

cdef enum:
    # As of enum libdeflate_window_result; ROOM and MORE are this module's own.
    DONE = 0
    FULL = 1
    INPUT = 2
    SHORT = 3
    BAD = 4
    MORE = 5            # the member inflates to more than it declares
    HISTORY = 32768     # what deflate's matches reach back
    WINDOW = 131072     # with the edges and tables beside it, half of a small second-level cache
    PIECE_BYTES = 65536

    ROOM = 64           # for edges, without which no scanning is begun

PIECE = PIECE_BYTES
LEAST_ROOM = ROOM


cdef struct State:
    Decompressor* decompressor
    Window w
    bint stored
    int status          # what the latest inflating ended with
    int64_t declared, size      # bytes of this member
    uint32_t crc
    int64_t given       # bytes of this member's input
    int64_t skip        # bytes at its beginning that nobody wants
    uint8_t* next       # the first byte that is not scanned
    # samples
    int unitsize
    uint64_t mask
    uint64_t initial, lines     # in the first sample and in the latest
    bint begun
    bint wide           # the processor has AVX2
    int64_t at          # number of the next sample
    int64_t stop        # samples from here on are passed over
    uint8_t input[KEEP + MARGIN + PIECE_BYTES]
    uint8_t output[HISTORY + WINDOW + OVERRUN]


cdef void inflate(State* s) noexcept nogil:
    """Fills the window, as far as there is input; what was in it has been scanned but for a part of a sample."""
    cdef uint8_t* before
    cdef Py_ssize_t shift, n
    cdef Window* w = &s.w
    if w.out_next >= w.out_end:
        shift = w.out_next - HISTORY - s.output
        memmove(s.output, w.out_next - HISTORY, HISTORY)
        w.out_begin = w.out_begin - shift if w.out_begin - s.output > shift else s.output
        w.out_next -= shift
        s.next -= shift
    before = w.out_next
    if s.stored:
        n = min(w.in_end - w.in_next, w.out_end - w.out_next)
        memcpy(w.out_next, w.in_next, n)
        w.in_next += n
        w.out_next += n
        if w.in_next < w.in_end:
            s.status = FULL
        else:
            s.status = DONE if w.last_input else INPUT
    else:
        s.status = libdeflate_deflate_window(s.decompressor, w)
    s.size += w.out_next - before
    if s.size > s.declared:
        s.status = MORE
        w.out_next = before
        return
    s.crc = libdeflate_crc32(s.crc, before, w.out_next - before)


cdef int64_t scan(State* s, int64_t* at, word_t* words, Py_ssize_t room) noexcept nogil:
    """Scans, and inflates more, until the input or the room for edges runs out or the member ends."""
    cdef Py_ssize_t n = 0, found, ready, taken = 0
    while True:
        if s.skip:
            ready = min(s.skip, s.w.out_next - s.next)
            s.next += ready
            s.skip -= ready
        ready = (s.w.out_next - s.next) // s.unitsize
        if s.at + ready > s.stop:
            ready = s.stop - s.at
        if ready:
            if not s.begun:
                s.begun = True
                s.lines = s.initial = first_lines(s)
            found = fill_edges(
                s.next, ready, s.unitsize, s.mask, s.lines, s.at, at + n, words + n, room - n, &taken, s.wide
            )
            if found:
                s.lines = words[n + found - 1]
                n += found
            s.next += taken * s.unitsize
            s.at += taken
        if s.at == s.stop:
            s.next = s.w.out_next
        if room - n < ROOM or (ready and taken < ready):
            return n
        if s.status != FULL:
            return n
        inflate(s)


cdef uint64_t first_lines(State* s) noexcept nogil:
    cdef uint64_t word = 0
    cdef int k
    for k in range(s.unitsize):
        word |= <uint64_t> s.next[k] << (8 * k)
    return word & s.mask


@cython.final
@cython.auto_pickle(False)
cdef class Stream:
    """See `_inflate.pyi` for the order of calls."""

    cdef State* s

    def __cinit__(self):
        self.s = <State*> malloc(sizeof(State))
        if self.s is NULL:
            raise MemoryError
        memset(self.s, 0, <Py_ssize_t> (<char*> self.s.input - <char*> self.s))  # what is read before it is written
        self.s.decompressor = libdeflate_alloc_decompressor()
        if self.s.decompressor is NULL:
            raise MemoryError

    def __init__(self, int unitsize, uint64_t mask, *, int64_t at=0, int64_t stop=0x7FFFFFFFFFFFFFFF):
        cdef State* s = self.s
        if not 1 <= unitsize <= 8:
            raise ValueError(f"unitsize must be 1 to 8 bytes, not {unitsize}")
        if at < 0 or stop < at:
            raise ValueError(f"samples {at} to {stop} make no range")
        if unitsize < 8:
            mask &= (<uint64_t> 1 << (8 * unitsize)) - 1
        s.unitsize, s.mask, s.at, s.stop = unitsize, mask, at, stop
        s.begun = False
        s.wide = has_wide()
        s.status = DONE
        s.next = s.w.out_next = s.output + HISTORY

    def __dealloc__(self):
        if self.s is not NULL:
            libdeflate_free_decompressor(self.s.decompressor)       # NULL is fine
            free(self.s)

    def begin(self, int64_t declared, *, bint stored=False, int64_t skip=0):
        cdef State* s = self.s
        cdef Py_ssize_t left = s.w.out_next - s.next
        if declared < 0 or skip < 0:
            raise ValueError(f"a member of {declared} bytes without the first {skip} makes no sense")
        if s.status != DONE or left >= s.unitsize:
            raise ValueError("the member before has not come to its end")
        memmove(s.output + HISTORY - left, s.next, left)
        s.next = s.output + HISTORY - left
        memset(&s.w, 0, sizeof(Window))
        s.w.in_next = s.w.in_end = s.input
        s.w.out_begin = s.w.out_next = s.output + HISTORY
        s.w.out_end = s.output + HISTORY + WINDOW
        s.declared, s.skip, s.stored = declared, skip, stored
        s.size = s.given = 0
        s.crc = 0
        s.status = INPUT

    def give(self, const uint8_t[::1] piece not None, *, bint last):
        cdef State* s = self.s
        cdef Py_ssize_t n = piece.shape[0], keep, left = s.w.in_end - s.w.in_next
        if s.status != INPUT or s.w.last_input:
            raise ValueError("no input is asked for")
        if n > PIECE_BYTES or (n == 0 and not last):
            raise ValueError(f"a piece of {n} bytes; 1 to {PIECE_BYTES} are taken at a time")
        # The bit buffer may give back some of what it has read.
        keep = min(<Py_ssize_t> KEEP, s.w.in_next - s.input)
        memmove(s.input, s.w.in_next - keep, keep + left)
        if n:
            memcpy(s.input + keep + left, &piece[0], n)
        s.w.in_next = s.input + keep
        s.w.in_end = s.w.in_next + left + n
        s.w.last_input = last
        s.given += n
        s.status = FULL     # of nothing yet: what comes next is to inflate

    def edges(self, int64_t[::1] at not None, words not None):
        cdef State* s = self.s
        cdef int64_t count, first = s.at
        cdef uint64_t lines = s.lines
        cdef bint begun = s.begun
        words = memoryview(words)
        cdef Py_ssize_t room = min(at.shape[0], <Py_ssize_t> len(words))
        cdef uint8_t[::1] words8
        cdef uint16_t[::1] words16
        cdef uint32_t[::1] words32
        cdef uint64_t[::1] words64
        if room < ROOM:
            raise ValueError(f"edges need room for {LEAST_ROOM} at least; there is room for {room}")
        if s.unitsize == 1:
            words8 = words
            with nogil:
                count = scan[uint8_t](s, &at[0], &words8[0], room)
        elif s.unitsize == 2:
            words16 = words
            with nogil:
                count = scan[uint16_t](s, &at[0], &words16[0], room)
        elif s.unitsize <= 4:
            words32 = words
            with nogil:
                count = scan[uint32_t](s, &at[0], &words32[0], room)
        else:
            words64 = words
            with nogil:
                count = scan[uint64_t](s, &at[0], &words64[0], room)
        return count, s.at - first, lines if begun else s.initial

    def read(self):
        cdef State* s = self.s
        if s.status == FULL and s.next == s.w.out_next:
            with nogil:
                inflate(s)
        taken = PyBytes_FromStringAndSize(<const char*> s.next, s.w.out_next - s.next)
        s.next = s.w.out_next
        return taken

    @property
    def at(self):
        return self.s.at

    @property
    def state(self):
        cdef State* s = self.s
        if s.status == FULL or (s.at < s.stop and s.w.out_next - s.next >= s.unitsize):
            return "room"
        return _STATES[s.status]

    @property
    def size(self):
        return self.s.size

    @property
    def crc(self):
        return self.s.crc

    @property
    def given(self):
        return self.s.given

    @property
    def unused(self):
        return self.s.w.in_end - self.s.w.in_next


_STATES = {DONE: "done", INPUT: "input", SHORT: "short", BAD: "bad", MORE: "more"}
