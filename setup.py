"""Builds the compiled core: each `_ext/NAME.pyx` becomes `tracecheck._NAME`.

Release builds drop bounds and overflow checks. `TRACECHECK_CHECKED=1` builds the same sources with every check of
Cython's on, undefined behaviour trapped, and the code for processors without SSE2; CI runs the whole suite on that
build too.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CHECKED = os.environ.get("TRACECHECK_CHECKED", "") not in ("", "0")

directives = {
    "language_level": "3",
    "boundscheck": CHECKED,
    "wraparound": False,
    "initializedcheck": CHECKED,
    "overflowcheck": CHECKED,
    "show_performance_hints": not CHECKED,
    "cdivision": not CHECKED,
    "autotestdict": False,
    "freethreading_compatible": True,
}
undefined = ["-fsanitize=undefined", "-fno-sanitize-recover=undefined"]
flags = ["-O1", "-g", "-DTRACECHECK_PORTABLE", *undefined] if CHECKED else ["-O3", "-g0"]
link = undefined[:1] if CHECKED else []

libdeflate = Path("_ext/vendor/libdeflate")
vendored = {"inflate": sorted((libdeflate / "lib").glob("*.c")) + sorted((libdeflate / "lib").glob("*/*.c"))}
shared = sorted([*Path("_ext").glob("*.pxd"), *libdeflate.rglob("*.h")])

setup(
    ext_modules=cythonize(
        [
            Extension(
                f"tracecheck._{source.stem}",
                [source.as_posix(), *(file.as_posix() for file in vendored.get(source.stem, []))],
                include_dirs=["_ext"],
                depends=[file.as_posix() for file in shared],
                extra_compile_args=[*flags, *(["-Wno-sign-compare"] if source.stem in vendored else [])],
                extra_link_args=link,
            )
            for source in sorted(Path("_ext").glob("*.pyx"))
        ],
        compiler_directives=directives,
        build_dir="build/cython-checked" if CHECKED else "build/cython",
        force=CHECKED,
    ),
    options={"build_ext": {"parallel": os.cpu_count()}},
)
