"""The docs site. `make docs` builds it, and takes every warning for an error.

The source folder is the project's root, so that the pages' links to one another are the same here and on a checkout;
`include_patterns` says which of its files are pages. What the program itself knows best is written from it before
each build, into docs/reference.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import reference

import tracecheck

project = "tracecheck"
author = "the tracecheck developers"
release = version = tracecheck.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "docs/reference/*.md",
    "*.md",
    "firmware/README.md",
    "firmware/crates/tracecheck-markers/README.md",
]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
default_role = "code"
"""Docstrings have their names in single backticks."""
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
nitpicky = False
copybutton_prompt_text = "$ "

html_theme = "furo"
html_title = "tracecheck"
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["site.css"]

reference.write(Path(__file__).parent / "reference")
