"""sigrok's decoders on top of ours: beside sigrok-cli with the same stack, and with decoders that misbehave."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import needs
import pytest
from pyarrow import ipc

import tracecheck
from tracecheck import schemas
from tracecheck.cli import main
from tracecheck.stack import Annotation, outermost, places

DUMPS = Path(__file__).parent.parent / "captures" / "sigrok-dumps"
EEPROM = DUMPS / "st_m24c02_powerup_and_reset.sr"
CLOCK = DUMPS / "ds3231_ex1.sr"
UID = "24aa025uid_seqrndread128_bytewrite128_seqrndread128_1ms_delay.sr"
beside_sigrok = needs.sigrok_cli

STACKS = [
    (UID, "SCL", "SDA", "eeprom24xx:chip=microchip_24aa025uid"),
    ("ds3231_ex1.sr", "SCL", "SDA", "ds1307"),
    ("rtc_ds1307_500khz_sqw32khz_mode12h_pm.sr", "CLK", "DATA", "ds1307"),
    ("rtc_ds1307_200khz_no_samplerate.sr", "SCL", "SDA", "ds1307"),
    ("8564je_alarm_min1_int_pin.sr", "SCL", "SDA", "rtc8564"),
    ("tca6408a.sr", "SCL", "SDA", "tca6408a"),
    ("st_m24c02_powerup_and_reset.sr", "SCL", "SDA", "eeprom24xx:chip=st_m24c02"),
    ("x24c02_dual.sr", "SCL", "SDA", "eeprom24xx:chip=xicor_x24c02:addr_counter=0x10"),
    ("x24c02_dual.sr", "SCL", "SDA", "i2cfilter:address=80,eeprom24xx"),
    ("pca9571_simple.sr", "SCL", "SDA", "pca9571"),
]


@beside_sigrok
@pytest.mark.parametrize(("name", "scl", "sda", "stack"), STACKS)
def test_says_what_sigrok_cli_says(
    name: str, scl: str, sda: str, stack: str, capfd: pytest.CaptureFixture[str]
) -> None:
    top = stack.rpartition(",")[2].partition(":")[0]
    lines = f"i2c:scl={scl}:sda={sda},{stack}"
    command = ["sigrok-cli", "-i", str(DUMPS / name), "-P", lines, "-A", top, "--protocol-decoder-samplenum"]
    peer = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True)
    code = main(["decode", str(DUMPS / name), "--scl", scl, "--sda", sda, "--stack", stack, "--format", "sigrok"])
    out, err = capfd.readouterr()
    assert (code, err, peer.stderr) == (0, "", "")
    assert out == peer.stdout and out


def test_table(tmp_path: Path) -> None:
    """The columns of the schema; each annotation in the transfer that it tells of."""
    out = tmp_path / "a.arrow"
    assert main(["decode", str(EEPROM), "--stack", "eeprom24xx:chip=st_m24c02", "-o", str(out), "--quiet"]) == 0
    table = ipc.open_file(out).read_all()
    assert table.schema.equals(schemas.ANNOTATIONS)
    transfers = {row["transfer"]: row for row in tracecheck.decode(EEPROM).transfers.to_pylist()}
    writes = [row for row in table.to_pylist() if row["class"] == "byte-write"]
    assert writes[0]["text"] == "Byte write (addr=00, 1 byte): 00"
    for row in table.to_pylist():
        owner = transfers[row["transfer"]]
        assert owner["start"] <= row["start"] <= owner["end"]
        assert (row["decoder"], row["bus"], row["stack"]) == ("eeprom24xx", "i2c0", "eeprom24xx:chip=st_m24c02")


def test_text(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(CLOCK), "--stack", "ds1307"]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines()[:3] == [
        "          time      #  outcome       transfer",
        "     37.000 us      0  acked         0x68 W 0E  Sr R 1F",
        "     37.000 us         ds1307 read-datetime: Read date/time: Friday, -1.-1.  -1 -1:-1:-1",
    ]
    assert "annotations more lie within those shown; --table annotations has all" in err


def test_outermost() -> None:
    def one(kind: str, start: int, end: int, decoder: str = "d") -> Annotation:
        return Annotation("i2c0", "d", decoder, kind, "", start, end)

    field, whole, same = one("field", 3, 5), one("op", 3, 9), one("op-too", 3, 9)
    inner, warning, after, other = one("bit", 4, 4), one("warnings", 4, 6), one("op", 9, 12), one("bit", 4, 5, "e")
    found = [field, whole, same, inner, warning, after, other]
    assert outermost(found) == [whole, same, warning, other, after]


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("eepron24xx", '--stack: no decoder "eepron24xx"; did you mean "eeprom24xx"?'),
        (
            "eeprom24xx:chp=x",
            (
                '--stack eeprom24xx:chp=x: eeprom24xx has no option "chp"; did you mean "chip"? '
                "(options: chip, addr_counter)"
            ),
        ),
        ("lm75:resolution=8", "--stack lm75:resolution=8: resolution=8 is not possible (possible: 9, 10, 11, 12)"),
        (
            "eeprom24xx:addr_counter=x",
            "--stack eeprom24xx:addr_counter=x: addr_counter=x is not possible (possible: a number)",
        ),
        ("nunchuk:a=1", '--stack nunchuk:a=1: nunchuk has no option "a" (it has none)'),
        ("ds1307:x", '--stack ds1307:x: "x" is no option; write ds1307:OPTION=VALUE'),
        ("lm75:resolution=9:resolution=9", None),
        ("", "--stack : write DECODER[:OPTION=VALUE], for example eeprom24xx:addr_counter=0"),
        ("spi", "--stack spi: spi decodes logic, and this is i2c"),
        ("eeprom24xx,ds1307", "--stack eeprom24xx,ds1307: ds1307 decodes i2c, and eeprom24xx gives nothing"),
        (
            "i2cfilter:address=500",
            (
                '--stack i2cfilter:address=500: the decoder "i2cfilter" does not start: '
                "Exception: Invalid slave (must be 0..127)."
            ),
        ),
    ],
)
def test_mistakes(stack: str, said: str | None, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(CLOCK), "--stack", stack]) == 2
    said = said or f'--stack {stack}: option "resolution" is given twice'
    assert capfd.readouterr() == ("", f"tracecheck: {said}\n")


def test_table_without_a_stack(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(CLOCK), "--table", "annotations"]) == 2
    said = "--table annotations: say whose, with --stack DECODER, for example --stack eeprom24xx"
    assert capfd.readouterr() == ("", f"tracecheck: {said}\n")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(places, "find_spec", lambda name: None)
    assert main(["decode", str(CLOCK), "--stack", "ds1307"]) == 2
    said = (
        "--stack runs sigrok's decoders through pysigrok, which is not installed; try: pip install "
        "'tracecheck[sigrok]' (in a checkout: -e '.[sigrok]')"
    )
    assert capfd.readouterr() == ("", f"tracecheck: {said}\n")


def test_decoders_of_the_python_package(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """Where libsigrokdecode is not installed, pysigrok's collection serves."""
    monkeypatch.setattr(places, "decoder_folders", list)
    place = places.find_decoder("ds1307")
    assert (place.module, place.folder) == ("decoders.ds1307", None)
    assert main(["decode", str(CLOCK), "--stack", "ds1307"]) == 0
    assert ": Read date/time: Friday" in capfd.readouterr().out


DECODER = """
import sigrokdecode as srd
class Decoder(srd.Decoder):
    api_version = 3
    id = name = "{name}"
    inputs = ["i2c"]
    outputs = []
    annotations = (("byte", "A byte"),)
    def __init__(self):
        self.bytes = 0
    def start(self):
        print("decoders may print")
        self.out = self.register(srd.OUTPUT_ANN)
    def decode(self, ss, es, data):
        if data[0].startswith("DATA"):
            self.bytes += 1
            if self.bytes == {fails_at}:
                {failure}
            self.put(ss, es, self.out, [0, ["%02X" % data[1], "B"]])
"""


def decoder(folder: Path, name: str, failure: str, fails_at: int = 3) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("from .pd import Decoder\n")
    (folder / name / "pd.py").write_text(DECODER.format(name=name, failure=failure, fails_at=fails_at))


def stacked(folder: Path, *stacks: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from tracecheck.cli import main; sys.exit(main())"]
    asked = [word for stack in stacks for word in ("--stack", stack)]
    return subprocess.run(
        [*command, "decode", str(CLOCK), "--format", "sigrok", *asked],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SIGROKDECODE_DIR": str(folder)},
    )


def test_a_decoder_that_raises(tmp_path: Path) -> None:
    """Its name and the sample are told; it goes on with the next packet, as under sigrok-cli, and so do the others."""
    decoder(tmp_path, "fine", "pass")
    decoder(tmp_path, "shaky", 'raise ValueError("no such register")')
    decoder(tmp_path, "gone", "import os; os._exit(3)")
    decoder(tmp_path, "shot", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    whole = stacked(tmp_path, "fine")
    assert (whole.returncode, whole.stderr) == (0, "")
    lines = whole.stdout.splitlines()
    third = lines[2].partition("-")[0]
    done = stacked(tmp_path, "shaky", "gone", "shot", "fine")
    assert done.returncode == 2
    said = done.stderr.splitlines()
    assert said[0] == f'tracecheck: i2c0: the decoder "shaky" raised at sample {third}: ValueError: no such register'
    assert said[1].startswith('tracecheck: i2c0: the decoder "gone" ended its process with code 3')
    assert said[2].startswith('tracecheck: i2c0: the decoder "shot" was ended by signal 9')
    mine = {name: [x for x in done.stdout.splitlines() if f" {name}-1:" in x] for name in ("shaky", "fine")}
    assert mine["fine"] == lines
    assert mine["shaky"] == [x.replace("fine-1", "shaky-1") for x in lines[:2] + lines[3:]]


@pytest.mark.parametrize(
    ("text", "why"),
    [("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'"), ("x =\n", None)],
)
def test_a_decoder_that_cannot_be_imported(tmp_path: Path, text: str, why: str | None) -> None:
    decoder(tmp_path, "broken", "pass")
    (tmp_path / "broken" / "pd.py").write_text(text)
    done = stacked(tmp_path, "broken")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('tracecheck: --stack broken: the decoder "broken" does not start: ')
    assert why is None or done.stderr.endswith(f"{why}\n")


def test_a_decoder_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    decoder(tmp_path, "endless", "import time; time.sleep(1000)")
    monkeypatch.setenv("SIGROKDECODE_DIR", str(tmp_path))
    monkeypatch.setattr("tracecheck.stack.annotations._PATIENCE_S", 1)
    assert main(["decode", str(CLOCK), "--format", "sigrok", "--stack", "endless"]) == 2
    assert '"endless" did not end in 1 s' in capfd.readouterr().err
