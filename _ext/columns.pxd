"""Column buffers the cores fill: Python allocates, the core writes rows and counts them."""

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uintptr_t


cdef struct Table:
    int64_t n           # rows filled since bind
    int64_t mark        # from this many rows on the table counts as nearly full


cdef inline void* column(dict tables, str table, str name, object dtype, Table* rows, int64_t reserve) except NULL:
    """The address of one column's buffer, checked; `rows` gets the table's mark from its first column (n is 0 then)."""
    try:
        array = tables[table][name]
    except KeyError as missing:
        raise ValueError(f"table {table}: no column {name}") from missing
    if str(array.dtype) != dtype:
        raise ValueError(f"table {table}: column {name} is {array.dtype}, not {dtype}")
    if array.ndim != 1 or not array.flags.c_contiguous or not array.flags.writeable:
        raise ValueError(f"table {table}: column {name} is not a contiguous, writable vector")
    cdef int64_t mark = array.shape[0] - reserve + 1
    if mark < 1:
        raise ValueError(f"table {table}: column {name} has {array.shape[0]} rows, fewer than {reserve}")
    if rows.mark != 0 and rows.mark != mark:
        raise ValueError(f"table {table}: column {name} has {array.shape[0]} rows, others {rows.mark + reserve - 1}")
    rows.mark = mark
    return <void*> <uintptr_t> array.ctypes.data


cdef inline bint same(list arrays, list kept):
    """Whether these are the very arrays that were checked before."""
    cdef Py_ssize_t k
    if len(arrays) != len(kept):
        return False
    for k in range(len(arrays)):
        if arrays[k] is not kept[k]:
            return False
    return True
