"""Samples 64 bytes at a time: most blocks change nothing and are got past; of the others each change is an edge.

A block is compared with its predecessors at once, in SIMD registers, and becomes 64 bits, one a byte, of which the set
ones are walked. Where the processor has AVX2 and what came with it, which is asked when it runs, that is used.
"""

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__) && !defined(TRACECHECK_PORTABLE)
    #include <immintrin.h>
    #define TRACECHECK_SSE2
    #if defined(__GNUC__) && defined(__x86_64__)
    #define TRACECHECK_AVX2
    #endif
    #endif
    #define tracecheck_little_endian (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

    /* A sample may lie at any address (three-byte samples, windows that begin in mid-buffer): memcpy is the portable
       unaligned load, and compiles to a single move. */
    static inline uint64_t tracecheck_load64(const uint8_t *from) {
        uint64_t value;
        memcpy(&value, from, sizeof value);
        return value;
    }

    /* One bit for each of the 64 bytes at `now`, the first byte's lowest: set where the byte differs from its
       predecessor, `size` bytes before it, within `lines`, a mask of 8 bytes that is laid over all. */
    static inline uint64_t tracecheck_changed(const uint8_t *now, size_t size, uint64_t lines) {
        const uint8_t *before = now - size;
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

    /* Of a bit for each changed byte, one for each changed sample of `size` bytes, at its first byte. */
    static inline uint64_t tracecheck_first_bytes(uint64_t changed, size_t size) {
        if (size == 1)
            return changed;
        changed |= changed >> 1;
        if (size == 2)
            return changed & 0x5555555555555555;
        changed |= changed >> 2;
        if (size == 4)
            return changed & 0x1111111111111111;
        changed |= changed >> 4;
        return changed & 0x0101010101010101;
    }

    /* `__builtin_popcountll` is a call without the instruction. */
    static inline ptrdiff_t tracecheck_count(uint64_t bits) {
        bits -= bits >> 1 & 0x5555555555555555;
        bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
        bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F;
        return (ptrdiff_t) (bits * 0x0101010101010101 >> 56);
    }

    typedef struct {
        const uint8_t *data;
        ptrdiff_t samples, room;
        uint64_t mask;
        int64_t base;   /* number of the first sample */
        int64_t *at;
        void *words;
        ptrdiff_t i;    /* the next sample, never the first: one lies before it */
        ptrdiff_t n;    /* edges there are */
    } tracecheck_scan;

    /* One edge, at the lowest of `changed`; where there is none, something that does not count. */
    #define TRACECHECK_EDGE(j)                                                                                      \\
        do {                                                                                                        \\
            const ptrdiff_t k = __builtin_ctzll(changed | (uint64_t) 1 << (64 - size)) / (ptrdiff_t) size;          \\
            const uint8_t *from = s.data + (s.i + k) * (ptrdiff_t) size;                                            \\
            s.at[s.n + (j)] = s.base + s.i + k;                                                                     \\
            if (size == 1) ((uint8_t *) s.words)[s.n + (j)] = (uint8_t) (*from & s.mask);                           \\
            else if (size == 2) {                                                                                   \\
                uint16_t word;                                                                                      \\
                memcpy(&word, from, 2);                                                                             \\
                ((uint16_t *) s.words)[s.n + (j)] = (uint16_t) (word & s.mask);                                     \\
            } else if (size == 4) {                                                                                 \\
                uint32_t word;                                                                                      \\
                memcpy(&word, from, 4);                                                                             \\
                ((uint32_t *) s.words)[s.n + (j)] = (uint32_t) (word & s.mask);                                     \\
            } else                                                                                                  \\
                ((uint64_t *) s.words)[s.n + (j)] = tracecheck_load64(from) & s.mask;                               \\
            changed &= changed - 1;                                                                                 \\
        } while (0)

    /* Four edges at a time, whether there are as many or not: how many there are no branch predictor knows. */
    #define TRACECHECK_WALK(CHANGED, COUNT)                                                                         \\
        const ptrdiff_t block = 64 / (ptrdiff_t) size;                                                              \\
        const uint64_t lines = size == 1 ? s.mask * 0x0101010101010101 : size == 2 ? s.mask * 0x0001000100010001    \\
                             : size == 4 ? s.mask * 0x0000000100000001 : s.mask;                                    \\
        while (s.i + block <= s.samples && s.n + block <= s.room) {                                                 \\
            uint64_t changed = CHANGED(s.data + s.i * (ptrdiff_t) size, size, lines);                               \\
            if (changed) {                                                                                          \\
                changed = tracecheck_first_bytes(changed, size);                                                    \\
                const ptrdiff_t count = COUNT(changed);                                                             \\
                TRACECHECK_EDGE(0);                                                                                 \\
                TRACECHECK_EDGE(1);                                                                                 \\
                TRACECHECK_EDGE(2);                                                                                 \\
                TRACECHECK_EDGE(3);                                                                                 \\
                for (ptrdiff_t j = 4; j < count; j += 4) {                                                          \\
                    TRACECHECK_EDGE(j);                                                                             \\
                    TRACECHECK_EDGE(j + 1);                                                                         \\
                    TRACECHECK_EDGE(j + 2);                                                                         \\
                    TRACECHECK_EDGE(j + 3);                                                                         \\
                }                                                                                                   \\
                s.n += count;                                                                                       \\
            }                                                                                                       \\
            s.i += block;                                                                                           \\
        }                                                                                                           \\
        return s

    static inline tracecheck_scan tracecheck_narrow(tracecheck_scan s, const size_t size) {
        TRACECHECK_WALK(tracecheck_changed, tracecheck_count);
    }

    #ifdef TRACECHECK_AVX2
    #define TRACECHECK_WIDE __attribute__((target("avx2,bmi,popcnt"))) static inline

    TRACECHECK_WIDE uint64_t tracecheck_changed_wide(const uint8_t *now, size_t size, uint64_t lines) {
        const uint8_t *before = now - size;
        const __m256i mask = _mm256_set1_epi64x((int64_t) lines), none = _mm256_setzero_si256();
        const __m256i low = _mm256_and_si256(mask, _mm256_xor_si256(_mm256_loadu_si256((const __m256i *) now),
                                                                    _mm256_loadu_si256((const __m256i *) before)));
        const __m256i high = _mm256_and_si256(mask,
                                              _mm256_xor_si256(_mm256_loadu_si256((const __m256i *) (now + 32)),
                                                               _mm256_loadu_si256((const __m256i *) (before + 32))));
        const __m256i any = _mm256_or_si256(low, high);
        if (_mm256_testz_si256(any, any))
            return 0;
        return ~((uint64_t) (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, none))
                 | (uint64_t) (uint32_t) _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, none)) << 32);
    }

    TRACECHECK_WIDE tracecheck_scan tracecheck_wide(tracecheck_scan s, const size_t size) {
        TRACECHECK_WALK(tracecheck_changed_wide, __builtin_popcountll);
    }

    __attribute__((target("avx2,bmi,popcnt"), noinline))
    static tracecheck_scan tracecheck_blocks_wide(tracecheck_scan s, size_t size) {
        switch (size) {
        case 1: return tracecheck_wide(s, 1);
        case 2: return tracecheck_wide(s, 2);
        case 4: return tracecheck_wide(s, 4);
        default: return tracecheck_wide(s, 8);
        }
    }

    static inline int tracecheck_has_wide(void) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
    }
    #else
    #define tracecheck_blocks_wide tracecheck_blocks_narrow
    #define tracecheck_has_wide() 0
    #endif

    /* Whole blocks of samples of `size` bytes, 1, 2, 4 or 8, as many as there are and there is room for. */
    static tracecheck_scan tracecheck_blocks_narrow(tracecheck_scan s, size_t size) {
        switch (size) {
        case 1: return tracecheck_narrow(s, 1);
        case 2: return tracecheck_narrow(s, 2);
        case 4: return tracecheck_narrow(s, 4);
        default: return tracecheck_narrow(s, 8);
        }
    }
    """
    ctypedef struct Scan "tracecheck_scan":
        const uint8_t* data
        Py_ssize_t samples
        Py_ssize_t room
        uint64_t mask
        int64_t base
        int64_t* at
        void* words
        Py_ssize_t i
        Py_ssize_t n
    uint64_t load64 "tracecheck_load64"(const uint8_t* start) noexcept nogil
    Scan blocks_narrow "tracecheck_blocks_narrow"(Scan s, size_t size) noexcept nogil
    Scan blocks_wide "tracecheck_blocks_wide"(Scan s, size_t size) noexcept nogil
    bint has_wide "tracecheck_has_wide"() noexcept nogil
    # load64 puts the first byte lowest only here; elsewhere the loop over single bytes does all the work.
    const bint LITTLE_ENDIAN "tracecheck_little_endian"
