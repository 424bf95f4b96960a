"""Lines of text for transfers: what `report/transfers.py` prints, a line a transfer, written into one buffer."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t, uintptr_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

cdef enum:
    FIXED = 96      # of a line: its time and number, and what stands between; more than 60 never come together
    WORDS = 32      # of a message, with `(3 more)` as far as the bytes left out do not make room for it
    WHEN = 14
    NUMBER = 5

cdef int* LIMITS = [16, 12, 8, 6, 2, 1, 0]
cdef char* FIGURES = b"0123456789ABCDEF"


cdef struct Messages:
    const int16_t* address
    const uint8_t* ten_bit
    const uint8_t* direction
    const uint8_t* restart
    const int8_t* acked
    const int32_t* n_bytes
    const int64_t* data
    const uint8_t* values


cdef inline Py_ssize_t between(const char* begin, const char* end) noexcept nogil:
    return <Py_ssize_t> (<uintptr_t> end - <uintptr_t> begin)


cdef inline char* figures(char* to, uint64_t value, int least) noexcept nogil:
    """A number with at least so many figures."""
    cdef char[20] found
    cdef int n = 0
    while value or n < least:
        found[n] = <char> (48 + value % 10)
        value //= 10
        n += 1
    while n:
        n -= 1
        to[0] = found[n]
        to += 1
    return to


cdef inline char* integer(char* to, int64_t value) noexcept nogil:
    if value < 0:
        to[0] = b"-"
        return figures(to + 1, ~<uint64_t> value + 1, 1)
    return figures(to, <uint64_t> value, 1)


cdef inline char* instant(char* to, int64_t ns) noexcept nogil:
    """A moment of the capture: `1.914875 ms`, to the nanosecond."""
    cdef uint64_t per = 1000000000 if ns >= 1000000000 else 1000000 if ns >= 1000000 else 1000
    cdef int digits = 9 if ns >= 1000000000 else 6 if ns >= 1000000 else 3
    cdef const char* unit = b" s" if ns >= 1000000000 else b" ms" if ns >= 1000000 else b" us"
    if ns < 1000:
        to = integer(to, ns)
        memcpy(to, b" ns", 3)
        return to + 3
    to = figures(to, <uint64_t> ns // per, 1)
    to[0] = b"."
    to = figures(to + 1, <uint64_t> ns % per, digits)
    digits = 2 if ns >= 1000000000 else 3
    memcpy(to, unit, digits)
    return to + digits


cdef inline char* right(char* begin, char* end, int width) noexcept nogil:
    """What stands from `begin` to `end` moved to the right of a cell."""
    cdef Py_ssize_t n = between(begin, end), i
    if n >= width:
        return end
    for i in range(1, n + 1):
        begin[width - i] = begin[n - i]
    memset(begin, 32, width - n)
    return begin + width


cdef inline char* hexed(char* to, const uint8_t* data, int64_t n) noexcept nogil:
    """`DE AD ` with a space after each."""
    cdef int64_t i
    for i in range(n):
        to[0], to[1], to[2] = FIGURES[data[i] >> 4], FIGURES[data[i] & 15], 32
        to += 3
    return to


cdef inline char* shortened(char* to, const uint8_t* data, int64_t n, int limit) noexcept nogil:
    """Data bytes, or so many of them and the number of the others; `limit` below 0: all. A space at the end."""
    cdef int first, last
    if limit < 0 or n <= max(limit, 1):
        return hexed(to, data, n)
    first = limit // 2 - 1 if limit > 4 else limit
    last = first if limit > 4 else 0
    to = hexed(to, data, first)
    to[0] = b"("
    to = integer(to + 1, n - first - last)
    if first:
        memcpy(to, b" more", 5)
        to += 5
    to[0], to[1] = b")", 32
    return hexed(to + 2, data + n - last, last)


cdef inline char* message(char* to, Messages* m, Py_ssize_t i, bint where, int limit) noexcept nogil:
    """`0x50 W 10 `, with a space at the end; `where`: with its address."""
    cdef int address = m.address[i]
    if m.restart[i]:
        memcpy(to, b"Sr ", 3)
        to += 3
    if where:
        memcpy(to, b"0x", 2)
        to += 2
        if address < 0:
            memcpy(to, b"???", 3)
            to += 3
        else:
            if m.ten_bit[i] or address > 255:
                to[0] = FIGURES[address >> 8 & 15]
                to += 1
            to[0], to[1] = FIGURES[address >> 4 & 15], FIGURES[address & 15]
            to += 2
        to[0] = 32
        to += 1
    to[0], to[1] = b"R" if m.direction[i] else b"W", 32
    to += 2
    if m.acked[i] == 0:
        memcpy(to, b"NACK ", 5)
        to += 5
    return shortened(to, m.values + m.data[i], m.n_bytes[i], limit)


cdef inline char* messages(
    char* to, Messages* m, Py_ssize_t first, Py_ssize_t count, int room
) noexcept nogil:
    """All messages of a transfer, in so many columns if it can be; `room` below 0: with all bytes."""
    cdef char* begin = to
    cdef Py_ssize_t i
    cdef int before, k
    for k in range(7):
        to, before = begin, -1
        for i in range(first, first + count):
            if i > first:
                to[0] = 32
                to += 1
            to = message(to, m, i, not m.restart[i] or m.address[i] != before, LIMITS[k] if room >= 0 else -1)
            before = m.address[i]
        if room < 0 or between(begin, to) - 1 <= room:
            break
    return to


@cython.final
@cython.auto_pickle(False)
cdef class Cells:
    """Texts of one column: `index` gives for each line which of `texts`, UTF-8."""

    cdef list texts
    cdef const int64_t[::1] index

    def __init__(self, list texts not None, const int64_t[::1] index not None):
        cdef Py_ssize_t i, n = len(texts)
        for text in texts:
            if not isinstance(text, bytes):
                raise TypeError("a cell's text is bytes")
        for i in range(index.shape[0]):
            if index[i] < 0 or index[i] >= n:
                raise ValueError("a cell has no text")
        self.texts, self.index = texts, index


def lines(
    const int64_t[::1] at not None,
    bint timed,
    Cells buses,
    const int64_t[::1] number not None,
    list cells not None,
    const int64_t[::1] first not None,
    const int64_t[::1] last not None,
    dict of not None,
    const uint8_t[::1] values not None,
    int room,
):
    """A line for each transfer, with a line's end, as one string: see `_text.pyi`."""
    cdef Py_ssize_t n = at.shape[0], i, k, size = 0, need, rows
    cdef const int16_t[::1] address = of["address"]
    cdef const uint8_t[::1] ten_bit = of["ten_bit"]
    cdef const uint8_t[::1] direction = of["direction"]
    cdef const uint8_t[::1] restart = of["restart"]
    cdef const int8_t[::1] acked = of["acked"]
    cdef const int32_t[::1] n_bytes = of["n_bytes"]
    cdef const int64_t[::1] data = of["data"]
    cdef Messages m
    cdef char* buffer = NULL
    cdef char* grown
    cdef char* to
    cdef char* begin
    cdef Py_ssize_t used = 0
    cdef Cells cell
    cdef bytes text
    rows = address.shape[0]
    for k in (ten_bit.shape[0], direction.shape[0], restart.shape[0], acked.shape[0], n_bytes.shape[0], data.shape[0]):
        if k != rows:
            raise ValueError("columns of messages differ in length")
    for k in (number.shape[0], first.shape[0], last.shape[0]):
        if k != n:
            raise ValueError("columns of transfers differ in length")
    for cell in ([buses] if buses is not None else []) + cells:
        if cell.index.shape[0] != n:
            raise ValueError("cells and transfers differ in number")
    for i in range(rows):
        if n_bytes[i] < 0 or data[i] < 0 or data[i] > values.shape[0] - n_bytes[i] or address[i] >= 4096:
            raise ValueError("a message has data that are not there, or no address of I2C")
    memset(&m, 0, sizeof(m))
    if rows:
        m.address, m.ten_bit, m.direction, m.restart = &address[0], &ten_bit[0], &direction[0], &restart[0]
        m.acked, m.n_bytes, m.data = &acked[0], &n_bytes[0], &data[0]
    if values.shape[0]:
        m.values = &values[0]
    try:
        for i in range(n):
            if first[i] < 0 or last[i] < first[i] or last[i] > rows:
                raise ValueError("a transfer has messages that are not there")
            need = FIXED + 2 * len(cells)
            for k in range(first[i], last[i]):
                need += WORDS + 3 * <Py_ssize_t> n_bytes[k]
            if buses is not None:
                need += PyBytes_GET_SIZE(buses.texts[buses.index[i]])
            for cell in cells:
                need += PyBytes_GET_SIZE(cell.texts[cell.index[i]])
            if used + need > size:
                size = max(2 * size, used + need, 1 << 16)
                grown = <char*> realloc(buffer, size)
                if grown == NULL:
                    raise MemoryError
                buffer = grown
            begin = to = buffer + used
            to = right(to, instant(to, at[i]) if timed else integer(to, at[i]), WHEN)
            to[0], to[1] = 32, 32
            to += 2
            if buses is not None:
                text = buses.texts[buses.index[i]]
                memcpy(to, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
                to += PyBytes_GET_SIZE(text)
            to = right(to, integer(to, number[i]), NUMBER)
            for cell in cells:
                text = cell.texts[cell.index[i]]
                to[0], to[1] = 32, 32
                memcpy(to + 2, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
                to += 2 + PyBytes_GET_SIZE(text)
            to[0], to[1] = 32, 32
            to = messages(to + 2, &m, first[i], last[i] - first[i], room)
            while to > begin and (to - 1)[0] == 32:
                to -= 1
            to[0] = 10
            used = between(buffer, to) + 1
        return PyUnicode_DecodeUTF8(buffer, used, NULL) if used else ""
    finally:
        free(buffer)
