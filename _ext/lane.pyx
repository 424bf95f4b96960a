"""The inner loops of a lane: streams of events become one, in order, and each event learns whose it is.

Arguments are checked at entry; what is found on the way that cannot be (an index out of range) raises ValueError
behind the loop. Python allocates, these fill.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t

cdef int64_t FOREVER = 0x7FFFFFFFFFFFFFFF

cdef enum:
    STREAMS = 64

ctypedef fused key_t:
    uint8_t
    int16_t
    int32_t


def interleave(
    list streams not None,
    int64_t[::1] at not None,
    int16_t[::1] code not None,
    int64_t[::1] own not None,
):
    """Merge streams into one, by sample, then code, then their order in the list.

    `streams`   at most 64 tuples of arrays (at, code, own), each in that order already
    `at`, `code`, `own`     receive the events; as long as all streams together
    """
    cdef const int64_t* ats[STREAMS]
    cdef const int16_t* codes[STREAMS]
    cdef const int64_t* owns[STREAMS]
    cdef Py_ssize_t left[STREAMS]
    cdef const int64_t[::1] one
    cdef const int16_t[::1] two
    cdef const int64_t[::1] three
    cdef Py_ssize_t k, best, count = 0, i, total = 0
    if len(streams) > STREAMS:
        raise ValueError(f"{len(streams)} streams; at most {STREAMS} can be merged at once")
    for stream in streams:
        one, two, three = stream
        if two.shape[0] != one.shape[0] or three.shape[0] != one.shape[0]:
            raise ValueError("a stream's columns differ in length")
        if one.shape[0]:
            ats[count], codes[count], owns[count], left[count] = &one[0], &two[0], &three[0], one.shape[0]
            total += one.shape[0]
            count += 1
    if at.shape[0] != total or code.shape[0] != total or own.shape[0] != total:
        raise ValueError("there must be room for exactly all events")
    with nogil:
        for i in range(total):
            best = 0
            for k in range(1, count):
                if ats[k][0] < ats[best][0] or (ats[k][0] == ats[best][0] and codes[k][0] < codes[best][0]):
                    best = k
            at[i], code[i], own[i] = ats[best][0], codes[best][0], owns[best][0]
            ats[best] += 1
            codes[best] += 1
            owns[best] += 1
            left[best] -= 1
            if not left[best]:
                count -= 1
                for k in range(best, count):
                    ats[k], codes[k], owns[k], left[k] = ats[k + 1], codes[k + 1], owns[k + 1], left[k + 1]


cdef inline Py_ssize_t row_of(const int64_t* ids, Py_ssize_t n, int64_t transfer) noexcept nogil:
    """Row of a transfer in ascending ids, which mostly are numbered one by one; -1 for none."""
    cdef Py_ssize_t low = 0, high = n, middle
    if n == 0 or transfer < ids[0] or transfer > ids[n - 1]:
        return -1
    if ids[n - 1] - ids[0] == n - 1:
        return <Py_ssize_t> (transfer - ids[0])
    while low < high:
        middle = (low + high) // 2
        if ids[middle] < transfer:
            low = middle + 1
        else:
            high = middle
    return low if ids[low] == transfer else -1


def build(
    tuple bus not None,
    tuple others not None,
    const int64_t[::1] ids not None,
    const uint8_t[::1] void not None,
    const int64_t[::1] start not None,
    const int64_t[::1] close not None,
    const int64_t[::1] rows not None,
    int first_free,
    int64_t[::1] at not None,
    int16_t[::1] code not None,
    int64_t[::1] own not None,
    int64_t[::1] owner not None,
    int32_t[::1] own_row not None,
    int32_t[::1] owner_row not None,
):
    """Merge the bus's events and all others into a lane, and find out whose each is.

    `bus`, `others`     (at, code, own), each by sample; in one sample the bus comes first
    `ids`, `void`       every transfer's number, ascending, and whether it is a void
    `start`, `close`, `rows`    the exchanges, ascending, and each one's row in `ids`
    `first_free`        the first code that is none of the bus's own: a void's events from there on are nobody's own
    `owner`             receives the transfer whose exchange holds the event, -1 for none; see `Window.owner`
    `own_row`, `owner_row`      receive the rows in `ids` of `own` and `owner`, -1 where they have none
    """
    cdef const int64_t[::1] bus_at, bus_own, other_at, other_own
    cdef const int16_t[::1] bus_code, other_code
    bus_at, bus_code, bus_own = bus
    other_at, other_code, other_own = others
    cdef Py_ssize_t n_bus = bus_at.shape[0], n_others = other_at.shape[0], n_ids = ids.shape[0]
    cdef Py_ssize_t n = n_bus + n_others, n_exchanges = start.shape[0]
    cdef Py_ssize_t i, b = 0, o = 0, e = -1, row = -1
    cdef int64_t now, mine, before = -1
    cdef int16_t what
    cdef bint bad = False
    if bus_code.shape[0] != n_bus or bus_own.shape[0] != n_bus:
        raise ValueError("the bus's columns differ in length")
    if other_code.shape[0] != n_others or other_own.shape[0] != n_others:
        raise ValueError("the others' columns differ in length")
    if void.shape[0] != n_ids or close.shape[0] != n_exchanges or rows.shape[0] != n_exchanges:
        raise ValueError("the columns of transfers or exchanges differ in length")
    if min(
        at.shape[0], code.shape[0], own.shape[0], owner.shape[0], own_row.shape[0], owner_row.shape[0]
    ) < n or n_ids > 0x7FFFFFFF:
        raise ValueError("there is not enough room for all events")
    for i in range(n_exchanges):
        bad |= rows[i] < 0 or rows[i] >= n_ids
    if bad:
        raise ValueError("an exchange is of no transfer")
    with nogil:
        for i in range(n):
            if o >= n_others or (b < n_bus and bus_at[b] <= other_at[o]):
                now, what, mine = bus_at[b], bus_code[b], bus_own[b]
                b += 1
            else:
                now, what, mine = other_at[o], other_code[o], other_own[o]
                o += 1
            at[i], code[i], own[i] = now, what, mine
            if mine != before:
                row = row_of(&ids[0], n_ids, mine) if mine >= 0 and n_ids else -1
                before = mine
            own_row[i] = <int32_t> row
            if mine >= 0 and not (row >= 0 and void[row]):
                owner[i], owner_row[i] = mine, <int32_t> row
            else:
                owner[i] = owner_row[i] = -1
                if mine < 0 or what >= first_free:
                    while e + 1 < n_exchanges and start[e + 1] <= now:
                        e += 1
                    if e >= 0 and now < close[e]:
                        owner[i], owner_row[i] = ids[rows[e]], <int32_t> rows[e]


def group(
    const key_t[::1] keys not None,
    const int64_t[::1] group_of not None,
    int64_t[::1] offsets not None,
    int64_t[::1] scratch not None,
    int64_t[::1] order not None,
):
    """Sort places by a small number of each: order[offsets[g]:offsets[g + 1]] are the places of group g, ascending.

    `group_of`  for each key its group, below 0 for one that is left out
    Returns how many are in `order`, which needs as much room as there are keys, and so does `scratch`. Raises
    ValueError for a key that `group_of` has no place for, and a group that `offsets` has none for.
    """
    cdef Py_ssize_t n = keys.shape[0], groups = offsets.shape[0] - 1, known = group_of.shape[0], i
    cdef int64_t total = 0, count, g
    cdef key_t least, most
    cdef bint bad = False
    if groups < 0 or order.shape[0] < n or scratch.shape[0] < n:
        raise ValueError("offsets need an entry more than there are groups, scratch and order one for each key")
    for i in range(known):
        bad |= group_of[i] >= groups
    if n:
        least = most = keys[0]
    with nogil:
        for i in range(n):
            least = min(least, keys[i])
            most = max(most, keys[i])
    if bad or (n and (least < 0 or most >= known)):
        raise ValueError("a key has no group, or a group no place")
    with nogil:
        # Without a branch: which keys are left out cannot be guessed.
        for i in range(n):
            scratch[total] = i
            total += group_of[keys[i]] >= 0
        n = <Py_ssize_t> total
        for i in range(groups + 1):
            offsets[i] = 0
        for i in range(n):
            offsets[group_of[keys[scratch[i]]]] += 1
        total = 0
        for i in range(groups):
            count = offsets[i]
            offsets[i] = total
            total += count
        for i in range(n):
            g = group_of[keys[scratch[i]]]
            order[offsets[g]] = scratch[i]
            offsets[g] += 1
        for i in range(groups, 0, -1):
            offsets[i] = offsets[i - 1]
        offsets[0] = 0
    return total


def ranges(const int32_t[::1] rows not None, int64_t[::1] first not None, int64_t[::1] end not None):
    """For each row the first place at which it stands, and the one after the last; both 0 where it stands nowhere.

    Raises ValueError for a row that there is no entry for; those below 0 are left out.
    """
    cdef Py_ssize_t n = rows.shape[0], n_rows = first.shape[0], i
    cdef int32_t row, before = -1
    cdef bint bad = False
    if end.shape[0] != n_rows:
        raise ValueError("first and end differ in length")
    with nogil:
        for i in range(n_rows):
            first[i] = end[i] = 0
        for i in range(n):
            row = rows[i]
            if row == before:
                continue
            if row >= n_rows:
                bad = True
                break
            if before >= 0:
                end[before] = i
            if row >= 0 and not end[row]:
                first[row] = i
            before = row
        if not bad and before >= 0:
            end[before] = n
    if bad:
        raise ValueError("a row has no entry")


def latest(
    const int64_t[::1] at not None,
    const int16_t[::1] code not None,
    const int64_t[::1] places not None,
    int least,
    int below,
    int64_t never,
    int64_t[::1] upto not None,
    int64_t[::1] before not None,
):
    """For the event at each of some ascending places: when the latest with a code from `least` to `below` - 1 came.

    `upto` receives the latest at or before the event, itself among them, `before` that
    in an earlier sample; `never` where there is none.
    """
    cdef Py_ssize_t n = at.shape[0], m = places.shape[0], i, place, q, previous = -1
    cdef int64_t found = never
    cdef bint bad = False
    if code.shape[0] != n or upto.shape[0] != m or before.shape[0] != m:
        raise ValueError("columns differ in length")
    with nogil:
        for i in range(m):
            place = places[i]
            if place < previous or place >= n:
                bad = True
                break
            q = place
            while q + 1 < n and at[q + 1] == at[place]:  # what stands behind it in its sample is as good
                q += 1
            while q > previous and not least <= code[q] < below:
                q -= 1
            if q > previous:
                found = at[q]
            previous = place
            upto[i] = before[i] = found
            if found == at[place]:
                while q >= 0 and (at[q] == found or not least <= code[q] < below):
                    q -= 1
                before[i] = at[q] if q >= 0 else never
    if bad:
        raise ValueError("places must ascend and lie in the lane")


def first_data(
    const int16_t[::1] code not None,
    const int32_t[::1] rows not None,
    int data,
    int restart,
    int64_t[::1] count not None,
):
    """How many events `data` each row has before its first `restart`."""
    cdef Py_ssize_t n = code.shape[0], n_rows = count.shape[0], i
    cdef int32_t row, again = -1
    cdef bint bad = False
    if rows.shape[0] != n:
        raise ValueError("columns differ in length")
    with nogil:
        for i in range(n_rows):
            count[i] = 0
        for i in range(n):
            row = rows[i]
            if row < 0 or (code[i] != data and code[i] != restart):
                continue
            if row >= n_rows:
                bad = True
                break
            if code[i] == data:
                count[row] += row != again
            else:
                again = row
    if bad:
        raise ValueError("a row has no entry")


def search(const int64_t[::1] events not None, const int64_t[::1] at not None, bint right, int64_t[::1] found not None):
    """As numpy's searchsorted of `at` in `events`, both of them ascending: a walk along both.

    Where `at` goes back the walk begins anew.
    """
    cdef Py_ssize_t n = events.shape[0], m = at.shape[0], i, place = 0, low, high, step, middle
    cdef int64_t wanted, before = 0
    if found.shape[0] != m:
        raise ValueError("found needs one entry for each sample")
    with nogil:
        for i in range(m):
            # Strictly after a sample is at or after the next.
            wanted = at[i]
            if right:
                if wanted == FOREVER:
                    found[i] = n
                    continue
                wanted += 1
            if i and wanted < before:
                place = 0
            before = wanted
            step = 1
            low = place
            while place < n and events[place] < wanted:
                low = place + 1
                place += step
                step += step
            high = place if place < n else n
            while low < high:
                middle = (low + high) // 2
                if events[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle
            place = low
            found[i] = place
