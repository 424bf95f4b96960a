"""The strict decoder's state between two edges, and the codes of what it writes (listed in `_i2c.pyi`)."""

from i2c_rows cimport Rows
from libc.stdint cimport int64_t

cdef enum:
    SCL = 1     # bits of `lines`
    SDA = 2
    BOTH = 3
    PERIODS = 1024      # SCL periods kept for a transfer's median
    CUT_BY_STOP = 0
    CUT_BY_START = 1
    CUT_BY_TIME = 2
    CUT_BY_END = 3
    E_START = 0
    E_RESTART = 1
    E_STOP = 2
    E_ADDRESS = 3
    E_DATA = 4
    E_ACK = 5
    E_NACK = 6
    GLITCH = 0
    SIMULTANEOUS = 1
    PARTIAL_BYTE = 2
    ACK_INTERRUPTED = 3
    VOID = 4
    STRAY_STOP = 5
    STRAY_CLOCKS = 6
    BUS_RECOVERY = 7
    MISSING_STOP = 8
    BEGINS_INSIDE = 9
    ENDS_INSIDE = 10
    STUCK_LOW = 11
    EXTRA_CLOCK = 12
    NORMAL = 0
    GENERAL_CALL = 1
    START_BYTE = 2
    CBUS = 3
    RESERVED = 4
    HS_CONTROLLER = 5
    TEN_BIT = 6
    DEVICE_ID = 7
    ADDRESS = 0
    ADDRESS_LOW = 1
    DATA = 2
    ACKED = 0
    ADDRESS_NACK = 1
    DATA_NACK = 2
    VOID_TRANSFER = 3
    UNFINISHED = 4

cdef extern from *:
    """
    /* Later than any sample, and sums of two such still fit: a time-out at FAR or beyond never fires. */
    #define TRACECHECK_FAR ((int64_t) 1 << 61)

    /* The compiler finds a step too long to inline into the loops; the calls cost 1 to 2 ns an edge. */
    #ifdef __GNUC__
    #define TRACECHECK_INLINED __attribute__((always_inline)) void
    #else
    #define TRACECHECK_INLINED void
    #endif
    """
    const int64_t FAR "TRACECHECK_FAR"
    ctypedef void inlined "TRACECHECK_INLINED"


cdef struct Core:
    Rows rows
    # settings, in samples
    int scl_bit, sda_bit
    int64_t glitch, idle, stuck, begin
    # lines and time
    int lines           # after the spike filter
    int raw             # before it
    int pending         # lines whose last change is not confirmed yet
    int64_t pending_at[2]
    int64_t now         # everything before this sample is decided
    int64_t deadline    # the earliest time-out
    int64_t scl_stuck, sda_stuck    # when a line that is low becomes stuck-low
    int64_t low_limit   # `stuck`, or FAR before both lines were high once
    int64_t limit       # both lines high for longer end a transfer or a run of clocks
    int64_t synced
    # outside a transfer
    bint lead           # the capture's first moments: no START, STOP or idle time seen yet
    bint held           # it began with SCL high and SDA low and nothing has changed since
    int64_t run         # SCL rises in a row outside a transfer
    int64_t run_first
    # SCL, of the run or transfer in hand
    int64_t shortest    # shortest period, 0: none yet
    int64_t last_shortest   # that of the latest transfer that had one
    int64_t rise, fall, moved   # latest; `moved`: SDA's last change in this low phase, -1: none
    int64_t pulse       # the latest rise in this transfer since a START, -FAR: none
    # transfer
    bint open, whole, partial, address_nack, data_nack
    int64_t transfer, start, n_bytes, stretch, low, high, n_periods
    int n_messages, directions, first_address
    bint first_ten_bit
    int ten_bit_address     # of the latest 10-bit write, -1: unknown
    # phase: from a START or repeated START on
    int64_t phase_start
    bint restart, message
    int index, address, address_kind, high_bits, direction, message_acked
    int64_t message_bytes
    # byte
    int rises, value, kind
    bint ack_high       # the ACK's clock pulse is still high
    bint refused        # the phase's latest byte got a NACK, after which no byte follows
    int64_t first_rise, eighth_rise
    int64_t low_min, low_max, nominal
    int64_t lows[9]
    int64_t falls[9]
    int64_t moves[9]
    int64_t periods[PERIODS]
