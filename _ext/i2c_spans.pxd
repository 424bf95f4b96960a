"""How long the phases of nine clocks are: their extremes, of all nine at once where the processor has the means.

Of a byte that is shorter than SHORT samples every phase fits 16 bits, of which SSE2 compares eight in one step. That is
nearly all bytes there are: at 24 MS/s, those of a bus of 7 kHz and more.
"""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #include <stdint.h>
    #if defined(__SSE2__) && !defined(TRACECHECK_PORTABLE)
    #include <emmintrin.h>
    #define TRACECHECK_SPANS
    #endif

    typedef struct {
        int64_t low_min, low_max, high_min, high_max, shortest;
    } tracecheck_spans;

    #ifdef TRACECHECK_SPANS
    #define TRACECHECK_PAIR(a, k) _mm_loadu_si128((const __m128i *) ((a) + 2 * (k)))
    #define TRACECHECK_LOWER_HALVES(a, b) \
        _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), _MM_SHUFFLE(2, 0, 2, 0)))

    /* a[k] - b[k] of eight, in 16 bits each; and as they are into `whole`, where it is not null. */
    static inline __m128i tracecheck_differences(const int64_t *a, const int64_t *b, int64_t *whole) {
        __m128i pairs[4];
        for (int k = 0; k < 4; k++) {
            pairs[k] = _mm_sub_epi64(TRACECHECK_PAIR(a, k), TRACECHECK_PAIR(b, k));
            if (whole)
                _mm_storeu_si128((__m128i *) (whole + 2 * k), pairs[k]);
        }
        return _mm_packs_epi32(
            TRACECHECK_LOWER_HALVES(pairs[0], pairs[1]), TRACECHECK_LOWER_HALVES(pairs[2], pairs[3]));
    }

    /* The least of eight in each half: of `a` in lanes 0 to 3, of `b` in lanes 4 to 7; the first of each counts. */
    static inline __m128i tracecheck_least(__m128i a, __m128i b) {
        __m128i least = _mm_min_epi16(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b));
        least = _mm_min_epi16(least, _mm_srli_epi64(least, 32));
        return _mm_min_epi16(least, _mm_srli_epi64(least, 16));
    }

    static inline __m128i tracecheck_most(__m128i a, __m128i b) {
        __m128i most = _mm_max_epi16(_mm_unpacklo_epi64(a, b), _mm_unpackhi_epi64(a, b));
        most = _mm_max_epi16(most, _mm_srli_epi64(most, 32));
        return _mm_max_epi16(most, _mm_srli_epi64(most, 16));
    }
    #endif

    static inline void tracecheck_measure(
        tracecheck_spans *m, const int64_t *falls, const int64_t *rises, int64_t *periods, int brief) {
        const int64_t first = rises[0] - falls[0];
    #ifdef TRACECHECK_SPANS
        if (brief) {
            const __m128i lows = tracecheck_differences(rises + 1, falls + 1, 0);
            const __m128i highs = tracecheck_differences(falls + 1, rises, 0);
            const __m128i all = tracecheck_differences(rises + 1, rises, periods);
            const __m128i least = tracecheck_least(lows, highs), most = tracecheck_most(lows, highs);
            m->low_min = _mm_extract_epi16(least, 0);
            m->high_min = _mm_extract_epi16(least, 4);
            m->low_max = _mm_extract_epi16(most, 0);
            m->high_max = _mm_extract_epi16(most, 4);
            m->shortest = _mm_extract_epi16(tracecheck_least(all, all), 0);
            m->low_min = first < m->low_min ? first : m->low_min;
            m->low_max = first > m->low_max ? first : m->low_max;
            return;
        }
    #endif
        (void) brief;
        m->low_min = m->low_max = first;
        m->high_min = m->shortest = INT64_MAX;
        m->high_max = 0;
        for (int k = 1; k < 9; k++) {
            const int64_t low = rises[k] - falls[k], high = falls[k] - rises[k - 1], period = low + high;
            periods[k - 1] = period;
            m->low_min = low < m->low_min ? low : m->low_min;
            m->low_max = low > m->low_max ? low : m->low_max;
            m->high_min = high < m->high_min ? high : m->high_min;
            m->high_max = high > m->high_max ? high : m->high_max;
            m->shortest = period < m->shortest ? period : m->shortest;
        }
    }
    """
    ctypedef struct Spans "tracecheck_spans":
        int64_t low_min
        int64_t low_max
        int64_t high_min
        int64_t high_max
        int64_t shortest    # period
    void spans "tracecheck_measure"(
        Spans* m, const int64_t* falls, const int64_t* rises, int64_t* periods, bint brief
    ) noexcept nogil

cdef enum:
    SHORT = 0x7FFF
