"""Runs one deterministic automaton over many sequences of symbols: the inner loop of `order` rules."""

from libc.stdint cimport int32_t, int64_t


def run(
    const int32_t[:, ::1] table not None,
    int start,
    int dead,
    const int32_t[::1] symbols not None,
    const int64_t[::1] offsets not None,
    int32_t[::1] states not None,
    int64_t[::1] died not None,
    int32_t[::1] alive not None,
):
    """Sequence k is symbols[offsets[k]:offsets[k + 1]].

    Fills for each sequence: `states`, the state after its last symbol; `died`, the index in `symbols` of the symbol
    that led to `dead`, or -1; `alive`, the last state before that.
    Raises ValueError where lengths, offsets, symbols or states do not fit each other.
    """
    cdef Py_ssize_t n = offsets.shape[0] - 1
    cdef Py_ssize_t k, i
    cdef int32_t state, before, symbol
    cdef int32_t n_states = <int32_t>table.shape[0], n_symbols = <int32_t>table.shape[1]
    cdef bint bad = False
    if n < 0 or states.shape[0] != n or died.shape[0] != n or alive.shape[0] != n:
        raise ValueError("states, died and alive need one entry a sequence")
    if not 0 <= start < n_states:
        raise ValueError("no such start state")
    with nogil:
        for k in range(n):
            if offsets[k] < 0 or offsets[k] > offsets[k + 1] or offsets[k + 1] > symbols.shape[0]:
                bad = True
                break
            state = before = start
            died[k] = -1
            for i in range(offsets[k], offsets[k + 1]):
                symbol = symbols[i]
                if symbol < 0 or symbol >= n_symbols:
                    bad = True
                    break
                before = state
                state = table[state, symbol]
                if state < 0 or state >= n_states:
                    bad = True
                    break
                if state == dead:
                    died[k] = i
                    break
            if bad:
                break
            states[k] = state
            alive[k] = before if died[k] >= 0 else state
    if bad:
        raise ValueError("an offset, symbol or state lies outside the automaton")
