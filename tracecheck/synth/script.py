"""What is to happen on a bus, as a script: transfers of messages, and what goes otherwise than planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tracecheck.errors import UsageError

Driver = Literal["target", "controller"]

_SEVEN_BIT, _TEN_BIT = 0x7F, 0x3FF


@dataclass(frozen=True, slots=True)
class Message:
    """One address phase and its data. `nack` is the byte that is not acknowledged: 0 the address, then the rest.

    A NACKed byte ends the transfer, as a controller does it. The last byte of a read is NACKed by the controller
    anyway. A 10-bit read is scripted as the wire has it: an empty 10-bit write, then the read in the same transfer.
    """

    address: int
    data: bytes = b""
    read: bool = False
    ten_bit: bool = False
    nack: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.address <= (_TEN_BIT if self.ten_bit else _SEVEN_BIT):
            raise UsageError(f"address 0x{self.address:X} does not fit {10 if self.ten_bit else 7} bits")

    @property
    def direction(self) -> Literal["read", "write"]:
        return "read" if self.read else "write"

    def octets(self) -> Iterator[tuple[int, bool, bool]]:
        """The bytes as sent: value, whether it is data, whether it is acknowledged."""
        if self.ten_bit:
            head = [0xF0 | self.address >> 8 << 1 | self.read]
            if not self.read:
                head.append(self.address & 0xFF)
        else:
            head = [self.address << 1 | self.read]
        for index, value in enumerate([*head, *self.data]):
            is_data = index >= len(head)
            last_read = self.read and is_data and index == len(head) + len(self.data) - 1
            yield value, is_data, index != self.nack and not last_read
            if index == self.nack:
                return


@dataclass(frozen=True, slots=True)
class Hold:
    """SCL held low `ns` longer before clock `bit` (0 to 7 data, 8 ACK) of the transfer's byte `octet`.

    Bytes are counted from 0, addresses among them. Who holds SCL and drives SDA in that bit puts the bit out late; the
    other side's bit is out before the hold begins.
    """

    octet: int
    bit: int
    ns: int
    who: Driver


@dataclass(frozen=True, slots=True)
class Transfer:
    """START to STOP. Without `stop` the lines are let go in place of a STOP; `cut` (byte, bits) stops inside a byte."""

    messages: tuple[Message, ...]
    holds: tuple[Hold, ...] = ()
    stop: bool = True
    cut: tuple[int, int] | None = None


def write(address: int, data: bytes, *, nack: int | None = None, ten_bit: bool = False) -> Transfer:
    """A transfer of one write."""
    return Transfer((Message(address, data, nack=nack, ten_bit=ten_bit),))


def read(address: int, data: bytes, *, nack: int | None = None) -> Transfer:
    """A transfer of one read, which brings `data`."""
    return Transfer((Message(address, data, read=True, nack=nack),))


def write_read(address: int, sent: bytes, received: bytes, *, ten_bit: bool = False) -> Transfer:
    """A combined transfer: a write, a repeated START, a read."""
    return Transfer((Message(address, sent, ten_bit=ten_bit), Message(address, received, read=True, ten_bit=ten_bit)))
