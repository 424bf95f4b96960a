"""Nine clocks in one go: SCL falls and rises, and SDA changes while SCL is low, with nothing else in between.

Nearly all there is on a busy bus. Its edges are looked at once, without the questions that every single step asks;
where anything else is on the lines, that is all that is said of it.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #if defined(__SSE2__) && !defined(TRACECHECK_PORTABLE)
    #include <emmintrin.h>
    #define TRACECHECK_MARKS
    #endif

    /* Of 32 words, a bit each, the first's lowest: where SCL or SDA alone changed, and where they are high. */
    typedef struct {
        uint32_t scl, sda, high, level;
    } tracecheck_marks;

    #ifdef TRACECHECK_MARKS
    #define TRACECHECK_EQUAL_8(a, b) ((uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)))
    #define TRACECHECK_EQUAL_16(a, b, c, d) \
        ((uint32_t) _mm_movemask_epi8(_mm_packs_epi16(_mm_cmpeq_epi16(a, b), _mm_cmpeq_epi16(c, d))))
    #endif

    /* 0 where there is no quick way for words of `size` bytes. `words[-1]` must be there, too. */
    static inline int tracecheck_mark(
        const void *words, size_t size, uint64_t scl, uint64_t sda, tracecheck_marks *marks) {
    #ifdef TRACECHECK_MARKS
        const char *from = (const char *) words;
        tracecheck_marks found = {0, 0, 0, 0};
        if (size == 1) {
            const __m128i s = _mm_set1_epi8((char) scl), d = _mm_set1_epi8((char) sda);
            for (int k = 0; k < 2; k++, from += 16) {
                const __m128i now = _mm_loadu_si128((const __m128i *) from);
                const __m128i turned = _mm_xor_si128(now, _mm_loadu_si128((const __m128i *) (from - 1)));
                found.scl |= TRACECHECK_EQUAL_8(turned, s) << 16 * k;
                found.sda |= TRACECHECK_EQUAL_8(turned, d) << 16 * k;
                found.high |= TRACECHECK_EQUAL_8(_mm_and_si128(now, s), s) << 16 * k;
                found.level |= TRACECHECK_EQUAL_8(_mm_and_si128(now, d), d) << 16 * k;
            }
        } else if (size == 2) {
            const __m128i s = _mm_set1_epi16((short) scl), d = _mm_set1_epi16((short) sda);
            for (int k = 0; k < 2; k++, from += 32) {
                const __m128i now = _mm_loadu_si128((const __m128i *) from);
                const __m128i then = _mm_loadu_si128((const __m128i *) (from + 16));
                const __m128i turned = _mm_xor_si128(now, _mm_loadu_si128((const __m128i *) (from - 2)));
                const __m128i later = _mm_xor_si128(then, _mm_loadu_si128((const __m128i *) (from + 14)));
                found.scl |= TRACECHECK_EQUAL_16(turned, s, later, s) << 16 * k;
                found.sda |= TRACECHECK_EQUAL_16(turned, d, later, d) << 16 * k;
                found.high |= TRACECHECK_EQUAL_16(_mm_and_si128(now, s), s, _mm_and_si128(then, s), s) << 16 * k;
                found.level |= TRACECHECK_EQUAL_16(_mm_and_si128(now, d), d, _mm_and_si128(then, d), d) << 16 * k;
            }
        } else
            return 0;
        *marks = found;
        return 1;
    #else
        (void) words, (void) size, (void) scl, (void) sda, (void) marks;
        return 0;
    #endif
    }
    #define tracecheck_lowest(bits) __builtin_ctzll(bits)
    #define tracecheck_highest(bits) (31 - __builtin_clz(bits))
    """
    ctypedef struct Marks "tracecheck_marks":
        uint32_t scl
        uint32_t sda
        uint32_t high
        uint32_t level
    bint mark "tracecheck_mark"(
        const void* words, size_t size, uint64_t scl, uint64_t sda, Marks* marks
    ) noexcept nogil
    int lowest "tracecheck_lowest"(uint64_t bits) noexcept nogil
    int highest "tracecheck_highest"(uint32_t bits) noexcept nogil

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t

cdef enum:
    CLOCKS = 9
    EDGES = 28      # nine times a fall, a change of SDA and a rise; and the edge that shows that the last one stands
    MARKED = 32     # words looked at together
    SEEN = 42       # and as many behind them as there may be clocks, for those that are not there; and that edge


cdef struct Clocks:
    int64_t rises[CLOCKS]
    int64_t last        # of SDA's changes, -1: there was none
    int value           # SDA's level at each rise, the first one's highest


cdef inline int64_t follow(
    Clocks* c, int64_t* falls, int64_t* firsts, int64_t* moves, const int64_t* at, const word_t* words, int64_t i,
    int64_t n, word_t scl, word_t sda, int64_t glitch
) noexcept nogil:
    """As `nine`, edge by edge."""
    cdef word_t lines = words[i - 1], turned
    cdef int64_t moved, spare = n - i - EDGES
    cdef int k, once, value = 0
    c.last = -1
    for k in range(CLOCKS):
        turned = lines ^ words[i]
        if turned != scl:
            return -1
        falls[k] = at[i]
        lines = words[i]
        # One change of SDA or none, as the data will have it: no branch predictor knows, so there is none to predict.
        turned = lines ^ words[i + 1]
        once = turned == sda
        moved = at[i + 1] | (once - 1)
        firsts[k] = moved
        c.last = moved if once else c.last
        i += 1 + once
        turned = words[i - 1] ^ words[i]
        while turned != scl:
            if turned != sda or at[i] - moved <= glitch or spare == 0:
                return -1
            c.last = moved = at[i]
            spare -= 1
            i += 1
            turned = words[i - 1] ^ words[i]
        lines = words[i]
        moves[k] = moved
        c.rises[k] = at[i]
        value = value << 1 | (lines & sda != 0)
        i += 1
    c.value = value
    return i


cdef inline int64_t nine(
    Clocks* c, int64_t* falls, int64_t* firsts, int64_t* moves, const int64_t* at, const word_t* words, int64_t i,
    int64_t n, int scl_bit, int sda_bit, int64_t glitch, bint moving
) noexcept nogil:
    """Nine clocks from the SCL fall at edge `i` on; the edge behind them, or -1 where they are not all there is.

    At least EDGES edges are there from `i` on, and one before. In each low phase SDA changes first at `firsts` and last
    at `moves`, -1 where it does not, and stays for more than `glitch` samples in between. `firsts` may be `moves`,
    whose owner has no use for the others; without `moving` nobody has, and both are void. So is what -1 leaves in the
    three.
    """
    cdef word_t scl = <word_t> (<uint64_t> 1 << scl_bit), sda = <word_t> (<uint64_t> 1 << sda_bit)
    cdef Marks m
    cdef uint32_t within, twice
    cdef uint64_t fallen, risen
    cdef int k, fall, rise, value = 0
    if n - i < SEEN or not mark(words + i, sizeof(word_t), scl, sda, &m):
        return follow(c, falls, firsts, moves, at, words, i, n, scl, sda, glitch)
    # From the marks of all words at once, so that no clock waits for the one before. Clocks that are not there come
    # out behind those words: one look at the last one tells.
    at += i
    fallen = m.scl & ~m.high | ~<uint64_t> 0 << MARKED
    risen = m.scl & m.high | ~<uint64_t> 0 << MARKED
    for k in range(CLOCKS):
        fall = lowest(fallen)
        rise = lowest(risen)
        fallen &= fallen - 1
        risen &= risen - 1
        falls[k] = at[fall]
        c.rises[k] = at[rise]
        if moving:
            firsts[k] = moves[k] = at[rise - 1] | (<int64_t> (<uint64_t> m.sda >> (rise - 1) & 1) - 1)
        value = value << 1 | <int> (<uint64_t> m.level >> rise & 1)
    if rise >= MARKED or fall >= MARKED:
        return -1
    within = <uint32_t> 0xFFFFFFFF >> (31 - rise)
    if (~(m.scl | m.sda) | (m.sda & m.high)) & within:
        return -1
    twice = m.sda & m.sda << 1
    if twice & within:
        return follow(c, falls, firsts, moves, at - i, words, i, n, scl, sda, glitch)
    within &= m.sda
    c.last = at[highest(within)] if within else -1
    c.value = value
    return i + rise + 1
