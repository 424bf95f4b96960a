"""The loop that sees every sample of a capture, for samples in memory and for those being inflated.

Blocks of 64 bytes go by way of `blocks.pxd`; here are a run's first sample, its last few, and samples of odd sizes.
"""

from blocks cimport LITTLE_ENDIAN, Scan, blocks_narrow, blocks_wide, load64
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef fused word_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t


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
    bint wide,
) noexcept nogil:
    """The edges of `samples` samples, or of the first `taken` of them when `room` runs low; returns how many.

    Writes may run past the count, never past `room` nor past the samples seen. With room for as many edges as there
    are samples, all are taken; else while at least a block of 64 bytes fits. `wide`: blocks by AVX2, which is there.
    """
    cdef Py_ssize_t n = 0
    cdef Py_ssize_t i = 0
    cdef Py_ssize_t size = samples * unitsize
    cdef uint64_t word
    cdef Scan s
    # The first sample by itself: every other has its predecessor right before it in memory.
    if samples and room:
        word = sample_at(data, 0, size, unitsize) & mask
        at[0] = base
        words[0] = <word_t> word
        n = word != previous
        previous = word
        i = 1
    if LITTLE_ENDIAN and unitsize == sizeof(word_t) and i:
        s = Scan(data, samples, room, mask, base, at, words, i, n)
        s = blocks_wide(s, sizeof(word_t)) if wide else blocks_narrow(s, sizeof(word_t))
        i, n = s.i, s.n
        previous = sample_at(data, (i - 1) * unitsize, size, unitsize) & mask
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
