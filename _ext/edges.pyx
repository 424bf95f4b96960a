"""Samples to edges, for samples that are in memory; those of a file come by way of `inflate.pyx`.

`scan` turns raw samples into the changes of the chosen lines; `line_edges` takes one line's rises and falls out of
them. Python allocates, these fill and return counts. Arguments are checked at entry, before anything is written; the
loops behind that are `nogil` and `noexcept`. Bounds checks are off in release builds and on in checked ones.
"""

from blocks cimport has_wide
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from scanner cimport fill_edges, word_t

cdef int64_t LAST_SAMPLE = 0x7FFFFFFFFFFFFFFF

cdef enum:
    STRETCH = 16    # words that are looked at together


def scan(
    const uint8_t[::1] data not None,
    int unitsize,
    uint64_t mask,
    uint64_t previous,
    int64_t base,
    int64_t[::1] at not None,
    words not None,
    *,
    bint plain=False,
):
    """Fill `at` and `words` with the edges in `data` and return how many there are.

    `data`      whole samples, each `unitsize` (1 to 8) bytes, little-endian
    `mask`      the lines that count; all others are 0 in every word (bits that a sample does not have are ignored)
    `previous`  the state of the lines before the first sample: where they differ, the first sample is an edge
    `base`      the number of the first sample of `data`
    `at`        receives the samples (`base` + index) at which a line changed
    `words`     receives the lines from that sample on; uint8, 16, 32 or 64, the smallest that holds `unitsize` bytes
    `plain`     without AVX2 even where the processor has it: the same edges, for tests

    Both need room for as many entries as `data` has samples; what lies behind the count returned is undefined.
    Raises ValueError, with nothing written, for lengths or types that do not fit, BufferError for read-only `words`.
    """
    if not 1 <= unitsize <= 8:
        raise ValueError(f"unitsize must be 1 to 8 bytes, not {unitsize}")
    cdef Py_ssize_t samples = data.shape[0] // unitsize
    if samples * unitsize != data.shape[0]:
        raise ValueError(f"{data.shape[0]} bytes are not whole samples of {unitsize} bytes")
    if base < 0 or base > LAST_SAMPLE - samples:
        raise ValueError(f"sample numbers from {base} on do not fit into 63 bits")
    words = memoryview(words)
    cdef Py_ssize_t room = min(at.shape[0], <Py_ssize_t> len(words))
    if room < samples:
        raise ValueError(f"{samples} samples need as much room for edges; there is room for {room}")
    cdef uint8_t[::1] words8
    cdef uint16_t[::1] words16
    cdef uint32_t[::1] words32
    cdef uint64_t[::1] words64
    cdef Py_ssize_t count, taken
    cdef bint wide = has_wide() and not plain
    if not samples:
        return 0
    if unitsize < 8:
        mask &= (<uint64_t> 1 << (8 * unitsize)) - 1
    if unitsize == 1:
        words8 = words
        with nogil:
            count = fill_edges[uint8_t](
                &data[0], samples, unitsize, mask, previous & mask, base, &at[0], &words8[0], room, &taken, wide
            )
    elif unitsize == 2:
        words16 = words
        with nogil:
            count = fill_edges[uint16_t](
                &data[0], samples, unitsize, mask, previous & mask, base, &at[0], &words16[0], room, &taken, wide
            )
    elif unitsize <= 4:
        words32 = words
        with nogil:
            count = fill_edges[uint32_t](
                &data[0], samples, unitsize, mask, previous & mask, base, &at[0], &words32[0], room, &taken, wide
            )
    else:
        words64 = words
        with nogil:
            count = fill_edges[uint64_t](
                &data[0], samples, unitsize, mask, previous & mask, base, &at[0], &words64[0], room, &taken, wide
            )
    return count


def line_edges(
    const int64_t[::1] at not None,
    words not None,
    int bit,
    int level,
    int64_t[::1] rises not None,
    int64_t[::1] falls not None,
):
    """Fill `rises` and `falls` with the edges of the line at `bit` and return how many there are of each.

    `at`, `words`  a block of edges of several lines, as `scan` gives them
    `level`        the line's state before the block, 0 or 1

    `rises` and `falls` need room for as many entries as `at` has; what lies behind the counts is undefined. Raises
    ValueError, with nothing written, for lengths or types that do not fit.
    """
    words = memoryview(words)
    cdef int width = 8 * words.itemsize
    cdef Py_ssize_t room = min(rises.shape[0], falls.shape[0])
    if len(words) != at.shape[0]:
        raise ValueError(f"{at.shape[0]} samples and {len(words)} words are not one block of edges")
    if not 0 <= bit < width:
        raise ValueError(f"there is no bit {bit} in words of {width} bits")
    if level != 0 and level != 1:
        raise ValueError(f"a level is 0 or 1, not {level}")
    if room < at.shape[0]:
        raise ValueError(f"{at.shape[0]} edges need as much room for rises and for falls; there is room for {room}")
    cdef const uint8_t[::1] words8
    cdef const uint16_t[::1] words16
    cdef const uint32_t[::1] words32
    cdef const uint64_t[::1] words64
    cdef Py_ssize_t n_rises = 0
    cdef Py_ssize_t n_falls = 0
    if width == 8:
        words8 = words
        with nogil:
            split_line(at, words8, bit, level, rises, falls, &n_rises, &n_falls)
    elif width == 16:
        words16 = words
        with nogil:
            split_line(at, words16, bit, level, rises, falls, &n_rises, &n_falls)
    elif width == 32:
        words32 = words
        with nogil:
            split_line(at, words32, bit, level, rises, falls, &n_rises, &n_falls)
    else:
        words64 = words
        with nogil:
            split_line(at, words64, bit, level, rises, falls, &n_rises, &n_falls)
    return n_rises, n_falls


cdef void split_line(
    const int64_t[::1] at,
    const word_t[::1] words,
    int bit,
    uint64_t level,
    int64_t[::1] rises,
    int64_t[::1] falls,
    Py_ssize_t *n_rises,
    Py_ssize_t *n_falls,
) noexcept nogil:
    """One line's edges. Storing always and counting only edges costs no mispredicted branch; where the line is still
    for a stretch of words, as markers mostly are, these are looked at together.
    """
    cdef Py_ssize_t r = 0
    cdef Py_ssize_t f = 0
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t n = at.shape[0]
    cdef Py_ssize_t j, end
    cdef uint64_t now
    cdef word_t same, other
    while i < n:
        end = min(i + STRETCH, n)
        if end - i == STRETCH:
            same = <word_t> (level << bit)
            other = 0
            for j in range(STRETCH):
                other |= words[i + j] ^ same
            if not <uint64_t> other >> bit & 1:
                i = end
                continue
        while i < end:
            now = <uint64_t> words[i] >> bit & 1
            rises[r] = at[i]
            falls[f] = at[i]
            r += now & (level ^ 1)
            f += level & (now ^ 1)
            level = now
            i += 1
    n_rises[0] = r
    n_falls[0] = f
