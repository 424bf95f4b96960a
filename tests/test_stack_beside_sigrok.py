"""Every decoder that stands on I2C beside sigrok-cli, on synthetic traffic of its device: the same text, line by line.

Both the decoders that Debian installs and those of pysigrok's collection are run; sigrok-cli has Debian's.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import needs
import pytest

from tracecheck.cli import main
from tracecheck.stack import places
from tracecheck.synth.scenario import Scenario, Task, record
from tracecheck.synth.script import Message, Transfer

DEVICES = {
    "atsha204a": 0x64,
    "ds1307": 0x68,
    "edid": 0x50,
    "eeprom24xx": 0x50,
    "hdcp": 0x3A,
    "lm75": 0x48,
    "mlx90614": 0x5A,
    "mxc6225xu": 0x15,
    "nunchuk": 0x52,
    "pca9571": 0x25,
    "rtc8564": 0x51,
    "tca6408a": 0x20,
    "xfp": 0x50,
}
OPTIONS = ["lm75:resolution=11", "eeprom24xx:chip=st_m24c02:addr_counter=7", "i2cfilter:address=80,eeprom24xx"]
UNSHIFTED = ["i2c:address_format=unshifted,eeprom24xx", "i2c:address_format=unshifted,lm75", "i2c,ds1307"]
SEEDS = dict.fromkeys(DEVICES, 1) | {"atsha204a": 2, "hdcp": 3}
"""Traffic of which the decoder says something."""


def traffic(decoder: str) -> tuple[Transfer, ...]:
    """Reads and writes of a device's registers, some refused, some to others."""
    address = DEVICES[decoder]
    random = Random(f"{address} {SEEDS[decoder]}")
    found = []
    for _ in range(14):
        to = address if random.random() < 0.85 else random.choice([0x10, 0x48, 0x50, 0x77])
        register = bytes([random.choice([0, 0, 1, 2, 3, 7, random.randrange(256)])])
        data = random.randbytes(random.choice([1, 2, 3, 6, 8]))
        nack = random.choice([None, 0])
        found.append(
            random.choice(
                [
                    (Message(to, register + data),),
                    (Message(to, register), Message(to, data, read=True)),
                    (Message(to, data, read=True),),
                    (Message(to, register, nack=nack),),
                ]
            )
        )
    return tuple(Transfer(messages) for messages in found)


def drawn(decoder: str, folder: Path) -> Path:
    path = folder / f"{decoder}.sr"
    task = Task(traffic(decoder), scheme="irq-only")
    record(Scenario((task,), seed=1, rate_hz=4_000_000, tail=100_000)).write(path, decoder)
    return path


@needs.sigrok_cli
@pytest.mark.parametrize("stack", [*DEVICES, *OPTIONS, *UNSHIFTED])
def test_says_what_sigrok_cli_says(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    top = stack.rpartition(",")[2].partition(":")[0]
    path = drawn(top, tmp_path)
    head, _, rest = stack.partition(",") if stack.startswith("i2c:") or stack == "i2c,ds1307" else ("i2c", "", stack)
    lines = f"{head}:scl=SCL:sda=SDA,{rest}"
    command = ["sigrok-cli", "-i", str(path), "-P", lines, "-A", top, "--protocol-decoder-samplenum"]
    peer = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
    assert peer.stdout
    raised = "decode() failed" in peer.stderr
    for folders in (places.decoder_folders, list):
        monkeypatch.setattr(places, "decoder_folders", folders)
        code = main(["decode", str(path), "--scl", "SCL", "--sda", "SDA", "--stack", stack, "--format", "sigrok"])
        out, err = capfd.readouterr()
        assert out == peer.stdout
        assert (code, f'the decoder "{top}" raised at sample' in err) == (2 if raised else 0, raised)


def test_options_of_the_bus(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Those of sigrok's own I2C decoder."""
    path = str(drawn("lm75", tmp_path))

    def refused(stack: str) -> str:
        assert main(["decode", path, "--stack", stack]) == 2
        out, err = capfd.readouterr()
        assert out == ""
        return err.removeprefix(f"tracecheck: --stack {stack}: ").rstrip("\n")

    assert refused("i2c:adress_format=shifted,lm75") == (
        'i2c has no option "adress_format"; did you mean "address_format"? (options: address_format)'
    )
    assert refused("i2c:address_format=unshift,lm75") == (
        'address_format=unshift is not possible; did you mean "unshifted"? (possible: shifted, unshifted)'
    )
    assert refused("i2c:scl=D0,lm75") == (
        "the lines of the bus are named with --scl and --sda, or in a rule file's [bus]"
    )
    assert refused("i2c") == "i2c alone is what decode prints anyway; put a decoder on it: i2c,eeprom24xx"
