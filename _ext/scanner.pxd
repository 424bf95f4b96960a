"""The loop that sees every sample of a capture, for samples in memory and for those being inflated.

Most samples of most captures change nothing, so the scanner's first aim is to get past those: 64 samples are compared
with their predecessors at once, in SIMD registers. Where something did change, the 64 samples become 64 bits, one a
sample, and the set ones are walked.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

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

    /* A whole sample of 1, 2, 4 or 8 bytes, a size known when compiling. */
    static inline uint64_t tracecheck_load_sample(const uint8_t *from, size_t size) {
        uint8_t byte;
        uint16_t half;
        uint32_t word;
        switch (size) {
        case 1: memcpy(&byte, from, 1); return byte;
        case 2: memcpy(&half, from, 2); return half;
        case 4: memcpy(&word, from, 4); return word;
        default: return tracecheck_load64(from);
        }
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
    #define tracecheck_little_endian (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    """
    uint64_t load64 "tracecheck_load64"(const uint8_t *start) noexcept nogil
    uint64_t changed_bytes "tracecheck_changed_bytes"(
        const uint8_t *now, const uint8_t *before, uint64_t lines
    ) noexcept nogil
    uint64_t load_sample "tracecheck_load_sample"(const uint8_t *start, size_t size) noexcept nogil
    int lowest_bit "tracecheck_lowest_bit"(uint64_t bits) noexcept nogil
    # load64 puts the first byte lowest only here; elsewhere the loop over single bytes does all the work.
    const bint LITTLE_ENDIAN "tracecheck_little_endian"

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


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


cdef inline uint64_t sample_at(const uint8_t* data, Py_ssize_t offset, Py_ssize_t size, int unitsize) noexcept nogil:
    """The sample at a byte offset into `size` bytes; above its `unitsize` bytes lies whatever follows it."""
    cdef uint64_t word = 0
    cdef int k
    if LITTLE_ENDIAN and offset + 8 <= size:
        return load64(data + offset)
    for k in range(unitsize):
        word |= <uint64_t> data[offset + k] << (8 * k)
    return word


cdef inline Py_ssize_t fill_edges(
    const uint8_t* data,
    Py_ssize_t samples,
    int unitsize,
    uint64_t mask,
    uint64_t previous,
    int64_t base,
    int64_t* at,
    word_t* words,
    Py_ssize_t room,
    Py_ssize_t* taken,
) noexcept nogil:
    """The edges of `samples` samples, or of the first `taken` of them when `room` runs low; returns how many.

    Writes may run past the count, never past `room` nor past the samples seen. With room for as many edges as there
    are samples, all are taken; else while at least a block of 64 bytes fits.
    """
    cdef Py_ssize_t n = 0
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t k
    cdef int _j
    cdef Py_ssize_t block = 64 // <Py_ssize_t> sizeof(word_t)
    cdef Py_ssize_t size = samples * unitsize
    cdef uint64_t lines
    cdef uint64_t changed
    cdef uint64_t word
    # The first sample by itself: every other has its predecessor right before it in memory.
    if samples and room:
        word = sample_at(data, 0, size, unitsize) & mask
        at[0] = base
        words[0] = <word_t> word
        n = word != previous
        previous = word
        i = 1
    if LITTLE_ENDIAN and unitsize == sizeof(word_t):
        lines = <uint64_t> -1 // <word_t> -1 * mask  # the mask repeated over 8 bytes
        while i + block <= samples and n + block <= room:
            changed = first_bytes(
                changed_bytes(data + i * unitsize, data + (i - 1) * unitsize, lines), <int> sizeof(word_t)
            )
            while changed:
                # Four at a time, whether there are as many or not: how many there are no branch predictor knows.
                for _j in range(4):
                    k = lowest_bit(changed | <uint64_t> 1 << (64 - sizeof(word_t))) // <Py_ssize_t> sizeof(word_t)
                    at[n] = base + i + k
                    words[n] = <word_t> (load_sample(data + (i + k) * unitsize, sizeof(word_t)) & mask)
                    n += changed != 0
                    changed &= changed - (changed != 0)
            i += block
        previous = sample_at(data, (i - 1) * unitsize, size, unitsize) & mask if i else previous
    # The last few samples, and odd unitsizes. Storing always and counting only edges costs no mispredicted branch.
    while i < samples and n < room:
        word = sample_at(data, i * unitsize, size, unitsize) & mask
        at[n] = base + i
        words[n] = <word_t> word
        n += word != previous
        previous = word
        i += 1
    taken[0] = i
    return n
