"""What is counted of every instance, whatever its verdict: verdicts, and how often each value came."""

from libc.stdint cimport int64_t, uint8_t


def verdicts(
    const uint8_t[::1] verdict not None, const int64_t[::1] value not None, int cut, int64_t[::1] counts not None
):
    """Add to `counts` how many instances there are of each verdict; returns how many were measured.

    Those that were not have a value below 0, or the verdict `cut`. Raises ValueError for a verdict without a count.
    """
    cdef Py_ssize_t n = verdict.shape[0], kinds = counts.shape[0], i
    cdef int64_t measured = 0
    cdef uint8_t most = 0
    if value.shape[0] != n:
        raise ValueError("verdicts and values differ in length")
    with nogil:
        for i in range(n):
            most = max(most, verdict[i])
    if n and most >= kinds:
        raise ValueError("a verdict has no count")
    with nogil:
        if most == 0 and cut != 0:  # as is usual: all are the same
            for i in range(n):
                measured += value[i] >= 0
            if n:
                counts[0] += n
        else:
            for i in range(n):
                counts[verdict[i]] += 1
                measured += value[i] >= 0 and verdict[i] != cut
    return measured


def histogram(const int64_t[::1] values not None, int64_t[::1] dense not None, int64_t[::1] beyond not None):
    """Count values, 0 or more, that `dense` has an entry for; the others are put into `beyond`, in their order.

    Returns how many are there, and the least and the most of all values, -1 where there are none. `beyond` needs as
    much room as there are values. Raises ValueError for a value below 0.
    """
    cdef Py_ssize_t n = values.shape[0], size = dense.shape[0], i, far = 0
    cdef int64_t least = -1, most = -1, value
    if beyond.shape[0] < n:
        raise ValueError("there is not enough room for values beyond those that are counted")
    if n:
        least = most = values[0]
    with nogil:
        for i in range(n):
            value = values[i]
            if value < least:
                least = value
            if value > most:
                most = value
    if n and least < 0:
        raise ValueError("a value is below 0")
    with nogil:
        for i in range(n):
            value = values[i]
            if value < size:
                dense[value] += 1
            else:
                beyond[far] = value
                far += 1
    return far, least, most
