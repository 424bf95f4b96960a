"""Samples to edges: the one loop that sees every sample of a capture.

`scan` turns raw samples into the changes of the chosen lines; `line_edges` takes one line's rises and falls out of
them. Python allocates, these fill and return counts. Arguments are checked at entry, before anything is written; the
loops behind that are `nogil` and `noexcept`. Bounds checks are off in release builds and on in checked ones.

Most samples of most captures change nothing, so the scanner's first aim is to get past those: 64 samples are compared
with the last state at once, in a loop the compiler vectorises. Where something did change, the 64 samples become 64
bits, one a sample, and the set ones are walked.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

import sys

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__) && !defined(TRACECHECK_PORTABLE)
    #include <emmintrin.h>
    #define TRACECHECK_SSE2
    #endif

    /* A sample may lie at any address (three-byte samples, windows that begin in mid-buffer): memcpy is the portable
       unaligned load, and compiles to a single move. */
    static inline uint64_t tracecheck_load64(const uint8_t *from) {
        uint64_t value;
        memcpy(&value, from, sizeof value);
        return value;
    }

    /* One bit for each of the 64 bytes at `now`, the first byte's lowest: set where the byte differs from its fellow
       at `before` within `lines`, a mask of 8 bytes that is laid over all. */
    static inline uint64_t tracecheck_changed_bytes(const uint8_t *now, const uint8_t *before, uint64_t lines) {
        uint64_t bits = 0;
    #ifdef TRACECHECK_SSE2
        const __m128i mask = _mm_set1_epi64x((int64_t) lines), none = _mm_setzero_si128();
        __m128i difference[4], any = none;
        for (int k = 0; k < 4; k++) {
            difference[k] = _mm_xor_si128(_mm_loadu_si128((const __m128i *) (now + 16 * k)),
                                          _mm_loadu_si128((const __m128i *) (before + 16 * k)));
            any = _mm_or_si128(any, difference[k]);
        }
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(any, mask), none)) == 0xFFFF)
            return 0;
        for (int k = 0; k < 4; k++) {
            const __m128i same = _mm_cmpeq_epi8(_mm_and_si128(difference[k], mask), none);
            bits |= (uint64_t) (uint16_t) ~_mm_movemask_epi8(same) << 16 * k;
        }
    #else
        const uint64_t low = 0x7F7F7F7F7F7F7F7F;
        uint64_t any = 0;
        for (int k = 0; k < 64; k += 8)
            any |= tracecheck_load64(now + k) ^ tracecheck_load64(before + k);
        if (!(any & lines))
            return 0;
        for (int k = 0; k < 64; k += 8) {
            const uint64_t difference = (tracecheck_load64(now + k) ^ tracecheck_load64(before + k)) & lines;
            /* Adding 0x7F carries into a byte's top bit unless its lower ones are all 0, and never beyond. The product
               then brings the eight top bits together: byte j's, at bit 8 j, meets the factor's bit at 56 - 7 j. */
            const uint64_t tops = (((difference & low) + low) | difference) >> 7 & 0x0101010101010101;
            bits |= (tops * 0x0102040810204080) >> 56 << k;
        }
    #endif
        return bits;
    }
    #define tracecheck_lowest_bit(bits) __builtin_ctzll(bits)
    """
    uint64_t load64 "tracecheck_load64"(const uint8_t *start) noexcept nogil
    uint64_t changed_bytes "tracecheck_changed_bytes"(
        const uint8_t *now, const uint8_t *before, uint64_t lines
    ) noexcept nogil
    int lowest_bit "tracecheck_lowest_bit"(uint64_t bits) noexcept nogil

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t

# load64 puts the first byte lowest only here; elsewhere the loop over single bytes does all the work.
cdef bint LITTLE_ENDIAN = sys.byteorder == "little"
cdef int64_t LAST_SAMPLE = 0x7FFFFFFFFFFFFFFF


def scan(
    const uint8_t[::1] data not None,
    int unitsize,
    uint64_t mask,
    uint64_t previous,
    int64_t base,
    int64_t[::1] at not None,
    words not None,
):
    """Fill `at` and `words` with the edges in `data` and return how many there are.

    `data`      whole samples, each `unitsize` (1 to 8) bytes, little-endian
    `mask`      the lines that count; all others are 0 in every word (bits that a sample does not have are ignored)
    `previous`  the state of the lines before the first sample: where they differ, the first sample is an edge
    `base`      the number of the first sample of `data`
    `at`        receives the samples (`base` + index) at which a line changed
    `words`     receives the lines from that sample on; uint8, 16, 32 or 64, the smallest that holds `unitsize` bytes

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
    cdef Py_ssize_t count
    if unitsize < 8:
        mask &= (<uint64_t> 1 << (8 * unitsize)) - 1
    if unitsize == 1:
        words8 = words
        with nogil:
            count = fill_edges(data, samples, unitsize, mask, previous & mask, base, at, words8)
    elif unitsize == 2:
        words16 = words
        with nogil:
            count = fill_edges(data, samples, unitsize, mask, previous & mask, base, at, words16)
    elif unitsize <= 4:
        words32 = words
        with nogil:
            count = fill_edges(data, samples, unitsize, mask, previous & mask, base, at, words32)
    else:
        words64 = words
        with nogil:
            count = fill_edges(data, samples, unitsize, mask, previous & mask, base, at, words64)
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


cdef Py_ssize_t fill_edges(
    const uint8_t[::1] data,
    Py_ssize_t samples,
    int unitsize,
    uint64_t mask,
    uint64_t previous,
    int64_t base,
    int64_t[::1] at,
    word_t[::1] words,
) noexcept nogil:
    """The edges of `samples` samples. Writes may run one entry past the count, never past the samples seen."""
    cdef Py_ssize_t n = 0
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t k
    cdef Py_ssize_t block = 64 // <Py_ssize_t> sizeof(word_t)
    cdef uint64_t lines
    cdef uint64_t changed
    cdef uint64_t word
    # The first sample by itself: every other has its predecessor right before it in memory.
    if samples:
        word = sample_at(data, 0, unitsize) & mask
        at[0] = base
        words[0] = <word_t> word
        n = word != previous
        previous = word
        i = 1
    if LITTLE_ENDIAN and unitsize == sizeof(word_t):
        lines = <uint64_t> -1 // <word_t> -1 * mask  # the mask repeated over 8 bytes
        while i + block <= samples:
            changed = first_bytes(
                changed_bytes(&data[i * unitsize], &data[(i - 1) * unitsize], lines), <int> sizeof(word_t)
            )
            while changed:
                k = i + lowest_bit(changed) // <Py_ssize_t> sizeof(word_t)
                at[n] = base + k
                words[n] = <word_t> (sample_at(data, k * unitsize, unitsize) & mask)
                n += 1
                changed &= changed - 1
            i += block
        previous = sample_at(data, (i - 1) * unitsize, unitsize) & mask if i else previous
    # The last few samples, and odd unitsizes. Storing always and counting only edges costs no mispredicted branch.
    while i < samples:
        word = sample_at(data, i * unitsize, unitsize) & mask
        at[n] = base + i
        words[n] = <word_t> word
        n += word != previous
        previous = word
        i += 1
    return n


cdef inline uint64_t first_bytes(uint64_t changed, int unitsize) noexcept nogil:
    """Of a bit for each changed byte, one for each changed sample, at its first byte; `unitsize` 1, 2, 4 or 8."""
    if unitsize == 1:
        return changed
    changed |= changed >> 1
    if unitsize == 2:
        return changed & 0x5555555555555555ULL
    changed |= changed >> 2
    if unitsize == 4:
        return changed & 0x1111111111111111ULL
    changed |= changed >> 4
    return changed & 0x0101010101010101ULL


cdef inline uint64_t sample_at(const uint8_t[::1] data, Py_ssize_t offset, int unitsize) noexcept nogil:
    """The sample at a byte offset; above its `unitsize` bytes lies whatever follows it."""
    cdef uint64_t word = 0
    cdef int k
    if LITTLE_ENDIAN and offset + 8 <= data.shape[0]:
        return load64(&data[offset])
    for k in range(unitsize):
        word |= <uint64_t> data[offset + k] << (8 * k)
    return word


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
    """One line's edges. Storing always and counting only edges costs no mispredicted branch."""
    cdef Py_ssize_t r = 0
    cdef Py_ssize_t f = 0
    cdef Py_ssize_t i
    cdef uint64_t now
    for i in range(at.shape[0]):
        now = <uint64_t> words[i] >> bit & 1
        rises[r] = at[i]
        falls[f] = at[i]
        r += now & (level ^ 1)
        f += level & (now ^ 1)
        level = now
    n_rises[0] = r
    n_falls[0] = f
