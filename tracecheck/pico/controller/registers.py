"""The controller's registers: offsets, bits, reset values. Source: RP2040 data sheet, 4.3.17.

Bits are IntEnum: they are asked for at every edge, and each `&` of an IntFlag looks up a member of its own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

FIFO_DEPTH: Final = 16


class Register(IntEnum):
    """Byte offsets."""

    CON = 0x00
    TAR = 0x04
    SAR = 0x08
    DATA_CMD = 0x10
    SS_SCL_HCNT = 0x14
    SS_SCL_LCNT = 0x18
    FS_SCL_HCNT = 0x1C
    FS_SCL_LCNT = 0x20
    INTR_STAT = 0x2C
    INTR_MASK = 0x30
    RAW_INTR_STAT = 0x34
    RX_TL = 0x38
    TX_TL = 0x3C
    CLR_INTR = 0x40
    CLR_RX_UNDER = 0x44
    CLR_RX_OVER = 0x48
    CLR_TX_OVER = 0x4C
    CLR_RD_REQ = 0x50
    CLR_TX_ABRT = 0x54
    CLR_RX_DONE = 0x58
    CLR_ACTIVITY = 0x5C
    CLR_STOP_DET = 0x60
    CLR_START_DET = 0x64
    CLR_GEN_CALL = 0x68
    ENABLE = 0x6C
    STATUS = 0x70
    TXFLR = 0x74
    RXFLR = 0x78
    SDA_HOLD = 0x7C
    TX_ABRT_SOURCE = 0x80
    SLV_DATA_NACK_ONLY = 0x84
    DMA_CR = 0x88
    DMA_TDLR = 0x8C
    DMA_RDLR = 0x90
    SDA_SETUP = 0x94
    ACK_GENERAL_CALL = 0x98
    ENABLE_STATUS = 0x9C
    FS_SPKLEN = 0xA0
    CLR_RESTART_DET = 0xA8
    COMP_PARAM_1 = 0xF4
    COMP_VERSION = 0xF8
    COMP_TYPE = 0xFC


class Interrupt(IntEnum):
    """Bits of INTR_STAT, INTR_MASK and RAW_INTR_STAT."""

    RX_UNDER = 1 << 0
    RX_OVER = 1 << 1
    RX_FULL = 1 << 2
    TX_OVER = 1 << 3
    TX_EMPTY = 1 << 4
    RD_REQ = 1 << 5
    TX_ABRT = 1 << 6
    RX_DONE = 1 << 7
    ACTIVITY = 1 << 8
    STOP_DET = 1 << 9
    START_DET = 1 << 10
    GEN_CALL = 1 << 11
    RESTART_DET = 1 << 12


class Abort(IntEnum):
    """Bits of TX_ABRT_SOURCE."""

    ADDRESS_7_NACK = 1 << 0
    ADDRESS_10_FIRST_NACK = 1 << 1
    ADDRESS_10_SECOND_NACK = 1 << 2
    DATA_NACK = 1 << 3
    GENERAL_CALL_NACK = 1 << 4
    GENERAL_CALL_READ = 1 << 5
    READ_10_WITHOUT_RESTART = 1 << 10
    MASTER_DISABLED = 1 << 11
    ARBITRATION_LOST = 1 << 12
    USER = 1 << 16


class Con(IntEnum):
    """Bits of CON."""

    MASTER = 1 << 0
    TEN_BIT = 1 << 4
    RESTART = 1 << 5
    SLAVE_DISABLE = 1 << 6
    TX_EMPTY_CTRL = 1 << 8


class Command(IntEnum):
    """Bits of DATA_CMD above the data byte."""

    READ = 1 << 8
    STOP = 1 << 9
    RESTART = 1 << 10
    FIRST_DATA_BYTE = 1 << 11


class Enable(IntEnum):
    """Bits of ENABLE."""

    ENABLE = 1 << 0
    ABORT = 1 << 1
    TX_CMD_BLOCK = 1 << 2


SPECIAL: Final = 1 << 11
"""TAR: a general call, or a START byte if GC_OR_START is set too."""
GC_OR_START: Final = 1 << 10

RESET: Final = {
    Register.SAR: 0x55,
    Register.SS_SCL_HCNT: 0x28,
    Register.SS_SCL_LCNT: 0x2F,
    Register.FS_SCL_HCNT: 0x06,
    Register.FS_SCL_LCNT: 0x0D,
    Register.SDA_HOLD: 0x01,
    Register.SLV_DATA_NACK_ONLY: 0x00,
    Register.DMA_CR: 0x00,
    Register.DMA_TDLR: 0x00,
    Register.DMA_RDLR: 0x00,
    Register.SDA_SETUP: 0x64,
    Register.ACK_GENERAL_CALL: 0x01,
    Register.FS_SPKLEN: 0x07,
}
"""The registers that only keep what is written to them."""

CON_RESET: Final = 0x65
TAR_RESET: Final = 0x55
MASK_RESET: Final = 0x8FF

CLEARS: Final = {
    Register.CLR_RX_UNDER: Interrupt.RX_UNDER,
    Register.CLR_RX_OVER: Interrupt.RX_OVER,
    Register.CLR_TX_OVER: Interrupt.TX_OVER,
    Register.CLR_RD_REQ: Interrupt.RD_REQ,
    Register.CLR_TX_ABRT: Interrupt.TX_ABRT,
    Register.CLR_RX_DONE: Interrupt.RX_DONE,
    Register.CLR_ACTIVITY: Interrupt.ACTIVITY,
    Register.CLR_STOP_DET: Interrupt.STOP_DET,
    Register.CLR_START_DET: Interrupt.START_DET,
    Register.CLR_GEN_CALL: Interrupt.GEN_CALL,
    Register.CLR_RESTART_DET: Interrupt.RESTART_DET,
}
"""Reading one clears its interrupt. RX_FULL and TX_EMPTY follow their FIFOs and cannot be cleared."""

CONSTANTS: Final = {Register.COMP_PARAM_1: 0, Register.COMP_VERSION: 0x3230_312A, Register.COMP_TYPE: 0x4457_0140}
