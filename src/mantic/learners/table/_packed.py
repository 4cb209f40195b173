"""Bytes of a native library in a compressed file with a checksum: their readers do not survive damage."""

import zlib
from pathlib import Path

from mantic.core.errors import ArtifactError

_MOST_RATIO = 200  # unpacked to packed: leaves without rows pack well ...
_SMALL = 256_000_000  # ... but only more bytes than these are refused for it


def write_packed(file: Path, content: bytes | bytearray) -> None:
    """Write the bytes so that damage is noticed when they are read."""
    file.write_bytes(zlib.compress(content, level=1))


def read_packed(file: Path) -> bytearray:
    """Return the bytes that `write_packed` wrote.

    Raises
    ------
    ArtifactError : if the file is absent or damaged, or would take far more memory than a model does.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "trees"
    >>> write_packed(file, b"oak")
    >>> bytes(read_packed(file))
    b'oak'
    """
    try:
        packed = file.read_bytes()
        reader = zlib.decompressobj()
        content = reader.decompress(packed, max(_SMALL, _MOST_RATIO * len(packed)))
        if not reader.eof or reader.unused_data:
            raise zlib.error("it is cut off, or unpacks to too much")
        return bytearray(content)
    except (OSError, zlib.error) as error:
        raise refusal(file, str(error)) from error


def refusal(file: Path, why: str) -> ArtifactError:
    """Return the error for a file that cannot be used."""
    return ArtifactError(
        f"the trees of a saved model cannot be read: {(why or 'unknown format').splitlines()[0]}",
        where=str(file),
        fix="copy the model file again, or fit and save it anew",
    )
