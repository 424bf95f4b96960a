"""The kinds of captures, in words; `benchmarks/captures.py` makes them."""

KINDS = {
    "i400k02": "400 kHz, 2 % busy",
    "a100k30": "100 kHz, 30 % busy",
    "b400k30": "400 kHz, 30 % busy",
    "d400k95": "400 kHz, 95 % busy",
    "dense": "half periods of 2 to 5 samples",
    "noisy": "as b400k30, beside a pin that changes all the time",
    "giant": "as b400k30, in one member",
    "level9": "as b400k30, compressed at level 9",
    "marked": "as b400k30, an interrupt and a wake after each transfer",
}
