"""sigrok's Python decoders on top of our I2C decoder: they are run, in a process of their own, never imported.

They are fed what libsigrokdecode's own I2C decoder would feed them, as `decoding.peer` tells it, and so say what
sigrok-cli says for the same stack.
"""

from tracecheck.stack.annotations import Annotation, Trouble, annotate, classes_of
from tracecheck.stack.outermost import outermost
from tracecheck.stack.spec import Stack, parse_stack

__all__ = ["Annotation", "Stack", "Trouble", "annotate", "classes_of", "outermost", "parse_stack"]
