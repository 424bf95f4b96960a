"""Runs one deterministic automaton over many sequences of symbols: the inner loop of `order` rules."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t

cdef int64_t FOREVER = 0x7FFFFFFFFFFFFFFF


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


def scopes(
    const int32_t[:, ::1] table not None,
    const uint8_t[::1] accepting not None,
    int start,
    int dead,
    const int32_t[::1] column not None,
    const int64_t[::1] at not None,
    const int16_t[::1] code not None,
    const int32_t[::1] owners not None,
    const int64_t[::1] first not None,
    const int64_t[::1] end not None,
    const int64_t[::1] rows not None,
    int64_t until,
    int first_free,
    int32_t[::1] states not None,
    int32_t[::1] alive not None,
    int64_t[::1] died not None,
    int64_t[::1] last not None,
    int32_t[::1] nth not None,
    uint8_t[::1] tied not None,
):
    """As `run`, on the events of a lane: those of scope k have the owner r = rows[k], and all stand within places
    first[r] to end[r] - 1.

    `column`        the automaton's symbol of each code, -1 for one that does not count
    `until`         events from this sample on do not count
    `first_free`    codes below it are the bus's own, whose order is sure even within one sample
    Fills for each scope, besides what `run` does (`died` is a place in `at`): `last`, the place of the last event that
    fitted, -1 for none; `nth`, where the scope does not match, which of its name in the scope that was, else 0;
    `tied`, whether two neighbours among the events that count share a sample and may have come either way round.
    """
    cdef Py_ssize_t n = rows.shape[0], events = at.shape[0], n_rows = first.shape[0], k, i, begin, stop
    cdef int64_t before
    cdef int32_t row, state, previous, symbol, found
    cdef int32_t n_states = <int32_t> table.shape[0], n_symbols = <int32_t> table.shape[1]
    cdef int32_t n_codes = <int32_t> column.shape[0]
    cdef int16_t what, latest
    cdef bint bad = False, ends = until < FOREVER
    if min(states.shape[0], alive.shape[0], died.shape[0], last.shape[0], nth.shape[0], tied.shape[0]) < n:
        raise ValueError("every answer needs one entry a scope")
    if code.shape[0] != events or owners.shape[0] != events or end.shape[0] != n_rows:
        raise ValueError("codes, owners or ends differ in length from what they belong to")
    if accepting.shape[0] != n_states:
        raise ValueError("there must be one accepting entry a state")
    if not 0 <= start < n_states:
        raise ValueError("no such start state")
    with nogil:
        for k in range(n):
            if rows[k] < 0 or rows[k] >= n_rows:
                bad = True
                break
            row = <int32_t> rows[k]
            begin, stop = first[row], end[row]
            if begin < 0 or stop > events:
                bad = True
                break
            state = previous = start
            died[k] = last[k] = before = -1
            tied[k] = nth[k] = 0
            latest = 0
            for i in range(begin, stop):
                if owners[i] != row:
                    continue
                what = code[i]
                if what < 0 or what >= n_codes:
                    bad = True
                    break
                symbol = column[what]
                if symbol < 0 or (ends and at[i] >= until):
                    continue
                if (what >= first_free or latest >= first_free) and before >= 0 and at[i] == at[before]:
                    tied[k] = 1
                before, latest = i, what
                if died[k] >= 0:
                    continue
                if symbol >= n_symbols:
                    bad = True
                    break
                previous = state
                state = table[state, symbol]
                if state < 0 or state >= n_states:
                    bad = True
                    break
                if state == dead:
                    died[k] = i
                else:
                    last[k] = i
            if bad:
                break
            states[k] = state
            alive[k] = previous if died[k] >= 0 else state
            if last[k] < 0 or (died[k] < 0 and accepting[state]):
                continue
            found = 0
            symbol = column[code[last[k]]]
            for i in range(begin, last[k] + 1):
                if owners[i] == row and column[code[i]] == symbol and at[i] < until:
                    found += 1
            nth[k] = found
    if bad:
        raise ValueError("a row, place, code, symbol or state lies outside what it is of")
