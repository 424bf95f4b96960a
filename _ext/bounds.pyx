"""A bound that is the same for every instance: where in it, or beyond it, each distance lies."""

from libc.stdint cimport int64_t, uint8_t


def judge(
    const int64_t[::1] distance not None,
    int64_t under,
    int64_t least,
    int64_t most,
    int64_t over,
    tuple codes not None,
    uint8_t[::1] verdict not None,
):
    """Fill `verdict` with one of `codes` (pass, fail, undecided) for each distance.

    `under`, `over`     up to the one, and from the other on, a distance surely fails
    `least`, `most`     from the one up to the other it surely passes
    """
    cdef Py_ssize_t n = distance.shape[0], i
    cdef int64_t d
    cdef uint8_t passed, failed, undecided
    passed, failed, undecided = codes
    if verdict.shape[0] != n:
        raise ValueError("distances and verdicts differ in length")
    with nogil:
        for i in range(n):
            d = distance[i]
            if d <= under or d >= over:
                verdict[i] = failed
            elif least <= d and d <= most:
                verdict[i] = passed
            else:
                verdict[i] = undecided
