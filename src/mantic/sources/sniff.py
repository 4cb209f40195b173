"""What a file really holds: told from its first bytes, not from its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mantic.core.errors import SourceError

CHUNK = 1 << 24
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),  # an Arrow stream
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0", "excel"),  # .xls
    (b"SQLite format 3\x00", "sqlite"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
)
_MOSTLY = 10  # times
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def content(head: bytes) -> str:
    """Return what the first bytes of a file say that it is: a kind of file, "json", or "text".

    >>> content(b"PAR1..."), content(b' [{"a": 1}]'), content(b"a,b")
    ('parquet', 'json', 'text')
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    start = head.removeprefix(_MARKS[0][0]).lstrip()[:1]
    return "json" if start in (b"[", b"{") else "text"


def chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, 16 MiB at a time."""
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            yield part


@dataclass(frozen=True)
class Letters:
    """How a text file is written.

    Parameters
    ----------
    old_lines : whether its lines end as in old Macs.
    bad_line : the first with bytes that are not of its encoding, which are read as the sign for such; 0 where all are.
    """

    encoding: str
    old_lines: bool = False
    bad_line: int = 0

    @property
    def errors(self) -> str:
        """Return what to do with bytes that are not of the encoding."""
        return "replace" if self.bad_line else "strict"

    def oddity(self, name: str) -> str:
        """Return what to tell of a file of this name; nothing where it is written as usual."""
        if self.bad_line:
            return (
                f"{name} is written in UTF-8 but for a few bytes, the first in line {self.bad_line:,}, read as \ufffd"
            )
        if self.encoding not in ("utf-8", "utf-8-sig"):
            return f"{name} is written in {self.encoding}, not in UTF-8; it was read as such"
        return ""


def letters(path: Path) -> Letters:
    """Find the encoding of a text: UTF-8, UTF-16, or what Western Europe wrote before (cp1252, latin-1).

    Raises
    ------
    SourceError : if the file is no text, or not the one that it begins as.
    """
    with path.open("rb") as file:
        head = file.read(1 << 16)
    for mark, name in _MARKS:
        if head.startswith(mark):
            if name == "utf-8-sig" and not _decodes(path, "utf-8"):
                raise broken(path, "utf-8")
            return Letters(name)
    if b"\x00" in head:
        return Letters(_wide(head, path))
    old_lines = b"\r" in head and b"\n" not in head
    if _decodes(path, "utf-8"):
        return Letters("utf-8", old_lines)
    if _is_mostly_utf8(path):
        return Letters("utf-8", old_lines, _bad_line(path))
    return Letters(_western(path), old_lines)


def _wide(head: bytes, path: Path) -> str:
    """Tell UTF-16 without its mark (every other byte of English is 0) from what is no text at all."""
    even, odd = head[::2], head[1::2]
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros.count(0) > 0.6 * len(zeros) and others.count(0) < 0.05 * max(1, len(others)):
            return name
    raise SourceError(
        "the file holds bytes that are no text", where=str(path), fix="export the table as CSV or Parquet"
    )


def _western(path: Path) -> str:
    strange = sum(sum(part.count(bytes([code])) for code in range(1, 9)) for part in chunks(path))
    if strange > 0.01 * max(1, path.stat().st_size):
        raise SourceError(
            "the file holds bytes that are no text", where=str(path), fix="export the table as CSV or Parquet"
        )
    return "cp1252" if _decodes(path, "cp1252") else "latin-1"


def _is_mostly_utf8(path: Path) -> bool:
    """Whether letters of several bytes, which other encodings hold by rare chance, far outnumber what is not UTF-8."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    n_bad = n_good = 0
    for part in chunks(path):
        text = decoder.decode(part)
        n_odd = text.count("\ufffd")
        n_bad += n_odd
        n_good += len(text) - len(text.encode("ascii", "ignore")) - n_odd
    return n_good > _MOSTLY * n_bad


def _bad_line(path: Path) -> int:
    """Return the number of the first line that is not UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


def _decodes(path: Path, encoding: str) -> bool:
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for part in chunks(path):
            if not part.isascii() or decoder.getstate()[0]:
                decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def to_utf8(path: Path, found: Letters, into: Path) -> Path:
    """Write the text again as UTF-8 with ordinary lines; return where."""
    try:
        with (
            path.open(encoding=found.encoding, errors=found.errors, newline=None) as source,
            into.open("w", encoding="utf-8", newline="\n") as out,
        ):
            while part := source.read(CHUNK):
                out.write(part)
    except UnicodeError as error:
        raise broken(path, found.encoding) from error
    return into


def broken(path: Path, encoding: str) -> SourceError:
    """Return the error for a text that turns out not to be in its encoding."""
    return SourceError(
        f"the file begins as {encoding} and does not go on so", where=str(path), fix="export it again as UTF-8"
    )
