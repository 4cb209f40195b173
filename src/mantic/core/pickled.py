"""Recognise a pickle without opening it."""

import pickletools
import warnings
from io import BytesIO
from itertools import islice
from pathlib import Path

SUFFIXES = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth")
_N_BYTES = 1 << 20
_N_OPCODES = 10_000  # nothing else looks like a pickle for so long


def is_pickle(file: Path) -> bool:
    r"""Whether a file is named like a pickle, starts like one, or is a whole one of the oldest, textual kind.

    Only the opcodes are read; nothing is run.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "trees.txt"
    >>> _ = file.write_bytes(b"tree\nversion=v4\n")
    >>> is_pickle(file)
    False
    """
    if file.suffix.lower() in SUFFIXES:
        return True
    with file.open("rb") as stream:
        start = stream.read(_N_BYTES)
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    text = BytesIO(start)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # bytes that are no escape say: this is no pickle
            n_read = sum(1 for _ in islice(pickletools.genops(text), _N_OPCODES))
    except (ValueError, UnicodeError, OverflowError):
        return False
    return n_read == _N_OPCODES or (n_read > 1 and text.tell() == len(start) < _N_BYTES)
