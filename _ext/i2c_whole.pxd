"""Whole bytes in one go: nine clocks whose edges are as data's are, which is nearly all there is on a busy bus.

What a byte does to the decoder's state is then known beforehand, so its edges are looked at once, without the questions
that every single step asks. Where anything else is on the lines nothing is taken, and the steps have it.
"""

from i2c_frames cimport byte_answered, byte_complete
from i2c_measure cimport limit_of, set_limit
from i2c_state cimport FAR, PERIODS, SCL, Core
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
    #define tracecheck_lowest(bits) __builtin_ctz(bits)
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
    int lowest "tracecheck_lowest"(uint32_t bits) noexcept nogil
    int highest "tracecheck_highest"(uint32_t bits) noexcept nogil

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t

cdef enum:
    CLOCKS = 9
    EDGES = 28      # nine times a fall, a change of SDA and a rise; and the edge that shows that the last one stands
    MARKED = 33     # words looked at together, and that edge


cdef struct Clocks:
    int64_t rises[CLOCKS]
    int64_t last        # of SDA's changes, -1: there was none
    int value           # nine bits, the ACK lowest


cdef inline int64_t follow(
    Core* s, Clocks* c, const int64_t* at, const word_t* words, int64_t i, int64_t n
) noexcept nogil:
    """Nine clocks from the SCL fall at edge `i` on; the edge behind them, or -1 where they are not all there is.

    Fills `falls` and `moves` of the byte, which is no loss if it comes to nothing: they are of use from a rise on.
    """
    cdef word_t scl = <word_t> (<uint64_t> 1 << s.scl_bit), sda = <word_t> (<uint64_t> 1 << s.sda_bit)
    cdef word_t lines = words[i - 1], turned
    cdef int64_t moved, spare = n - i - EDGES
    cdef int k, once, value = 0
    c.last = -1
    for k in range(CLOCKS):
        turned = lines ^ words[i]
        if turned != scl:
            return -1
        s.falls[k] = at[i]
        lines = words[i]
        # One change of SDA or none, as the data will have it: no branch predictor knows, so there is none to predict.
        turned = lines ^ words[i + 1]
        once = turned == sda
        moved = at[i + 1] | (once - 1)
        c.last = moved if once else c.last
        i += 1 + once
        turned = words[i - 1] ^ words[i]
        while turned != scl:
            if turned != sda or at[i] - moved <= s.glitch or spare == 0:
                return -1
            c.last = moved = at[i]
            spare -= 1
            i += 1
            turned = words[i - 1] ^ words[i]
        lines = words[i]
        s.moves[k] = moved
        c.rises[k] = at[i]
        value = value << 1 | (lines & sda != 0)
        i += 1
    c.value = value
    return i


cdef inline int64_t pick(
    Core* s, Clocks* c, const int64_t* at, const word_t* words, int64_t i, int64_t n
) noexcept nogil:
    """As `follow`, from the marks of all words at once, so that no clock waits for the one before."""
    cdef Marks m
    cdef uint32_t falls, rises, within, twice
    cdef int k, fall, rise, value = 0
    if n - i < MARKED or not mark(
        words + i, sizeof(word_t), <uint64_t> 1 << s.scl_bit, <uint64_t> 1 << s.sda_bit, &m
    ):
        return follow(s, c, at, words, i, n)
    at += i
    falls = m.scl & ~m.high
    rises = m.scl & m.high
    for k in range(CLOCKS):
        if rises == 0 or falls == 0:
            return -1
        fall = lowest(falls)
        rise = lowest(rises)
        falls &= falls - 1
        rises &= rises - 1
        s.falls[k] = at[fall]
        c.rises[k] = at[rise]
        s.moves[k] = at[rise - 1] | (<int64_t> (m.sda >> (rise - 1) & 1) - 1)
        value = value << 1 | <int> (m.level >> rise & 1)
    within = <uint32_t> 0xFFFFFFFF >> (31 - rise)
    if (~(m.scl | m.sda) | (m.sda & m.high)) & within:
        return -1
    twice = m.sda & m.sda << 1
    if twice & within:
        return follow(s, c, at - i, words, i, n)
    within &= m.sda
    c.last = at[highest(within)] if within else -1
    c.value = value
    return i + rise + 1


cdef inline int64_t whole_bytes(Core* s, const int64_t* at, const word_t* words, int64_t i, int64_t n) noexcept nogil:
    """Takes bytes from edge `i` on while they are whole; returns the index of the first edge not taken.

    In an open transfer on a bus that was free before, at a byte's first SCL fall, with nothing pending and `i` > 0.
    """
    cdef Clocks c
    cdef int64_t behind, end, low, low_min, low_max, high, high_min, high_max, period, shortest, guess
    cdef int k, sda
    while n - i >= EDGES and at[i] <= s.deadline and not s.rows.full:
        behind = pick(s, &c, at, words, i, n)
        if behind < 0:
            return i
        end = c.rises[CLOCKS - 1]
        low_min = low_max = s.lows[0] = c.rises[0] - s.falls[0]
        high_min = FAR
        high_max = 0
        shortest = s.shortest if s.shortest else FAR
        for k in range(1, CLOCKS):
            s.lows[k] = low = c.rises[k] - s.falls[k]
            high = s.falls[k] - c.rises[k - 1]
            period = low + high
            low_min = low if low < low_min else low_min
            low_max = low if low > low_max else low_max
            high_min = high if high < high_min else high_min
            high_max = high if high > high_max else high_max
            shortest = period if period < shortest else shortest
        if low_min <= s.glitch or high_min <= s.glitch or at[behind] - end <= s.glitch:
            return i
        # No time-out on the way: not by the limit at the end, nor by the one that a first period was guessed for.
        guess = shortest
        if s.shortest == 0:
            guess = 2 * s.lows[0] if 2 * s.lows[0] > s.last_shortest else s.last_shortest
            guess = shortest if shortest < guess else guess
        if high_max > limit_of(s, guess) or end - s.falls[0] > s.low_limit or end > s.sda_stuck:
            return i
        high = s.falls[0] - s.pulse
        high_min = high if high < high_min else high_min
        s.high = high_min if high_min < s.high else s.high
        s.low = low_min if low_min < s.low else s.low
        s.low_min = low_min
        s.low_max = low_max
        for k in range(1, CLOCKS):
            if s.n_periods < PERIODS:
                s.periods[s.n_periods] = c.rises[k] - c.rises[k - 1]
                s.n_periods += 1
        if shortest != s.shortest:
            s.shortest = shortest
            set_limit(s, 0)
        s.fall = s.falls[CLOCKS - 1]
        s.first_rise = c.rises[0]
        s.value = c.value >> 1
        s.rise = c.rises[CLOCKS - 2]
        byte_complete(s)
        s.rise = s.pulse = s.now = end
        sda = c.value & 1
        byte_answered(s, not sda)
        s.lines = s.raw = SCL | sda << 1
        s.scl_stuck = FAR
        if c.last >= 0:
            s.sda_stuck = FAR if sda else c.last + s.low_limit
        s.deadline = end + s.limit if sda else (s.sda_stuck if s.sda_stuck < FAR else FAR)
        i = behind
    return i
