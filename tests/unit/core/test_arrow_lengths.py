"""What an Arrow file says of its size is held against its size before anything is set aside for it."""

import io
import struct

import polars as pl
import pyarrow as pa
import pytest

from mantic.core.arrow_lengths import check_file, check_lengths, check_stream

FRAME = pl.DataFrame({"n": range(1000), "word": ["a word that is too long for its own place"] * 1000})


def content_of(frame: pl.DataFrame, *, write: str, compression: str) -> bytes:
    data = io.BytesIO()
    getattr(frame, write)(data, compression=compression)
    return data.getvalue()


@pytest.mark.parametrize("write", ["write_ipc", "write_ipc_stream"])
@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_what_polars_writes_is_sound(write, compression):
    words = FRAME.with_columns(pl.col("word").cast(pl.Categorical).alias("code"), pl.lit(None).alias("nothing"))

    check_lengths(content_of(words, write=write, compression=compression))


def test_what_pyarrow_writes_is_sound():
    table = pa.table({"list": [[1, 2], [], None], "code": pa.array(["a", "b", None]).dictionary_encode()})
    for kind in (pa.ipc.new_file, pa.ipc.new_stream):
        data = io.BytesIO()
        with kind(data, table.schema) as writer:
            writer.write_table(table)

        check_lengths(data.getvalue())


@pytest.mark.parametrize("write", ["write_ipc", "write_ipc_stream"])
def test_a_packed_buffer_that_says_to_be_huge_is_refused(write):
    content = content_of(FRAME.select("n"), write=write, compression="zstd")
    changed = content.replace(struct.pack("<q", 8000), struct.pack("<q", 2**61))
    assert changed != content

    with pytest.raises(ValueError, match=r"it would unpack to"):
        check_lengths(changed)


@pytest.mark.parametrize("write", ["write_ipc", "write_ipc_stream"])
def test_a_buffer_that_says_to_be_longer_than_the_file_is_refused(write):
    content = content_of(FRAME.select("n"), write=write, compression="uncompressed")
    changed = content.replace(struct.pack("<q", 8000), struct.pack("<q", 2**47))
    assert changed != content

    with pytest.raises(ValueError, match=r"outside of it|cut off"):
        check_lengths(changed)


def test_a_file_that_is_cut_off_is_refused():
    content = content_of(FRAME, write="write_ipc", compression="zstd")

    for place in range(6, len(content), 97):
        with pytest.raises(ValueError, match=r"."):
            check_lengths(content[:place])


@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_file_with_another_beginning_is_none_though_its_end_is_that_of_one(place):
    content = bytearray(content_of(FRAME, write="write_ipc", compression="zstd"))
    content[place] ^= 1

    with pytest.raises(ValueError, match="no Arrow stream"):
        check_lengths(bytes(content))


def test_a_file_is_no_stream_and_a_stream_no_file():
    file, stream = (content_of(FRAME, write=write, compression="zstd") for write in ("write_ipc", "write_ipc_stream"))

    check_file(file)
    check_stream(stream)
    with pytest.raises(ValueError, match="no Arrow file"):
        check_file(stream)
    with pytest.raises(ValueError, match="no Arrow stream"):
        check_stream(file)


def test_what_follows_a_stream_is_no_length_of_a_message():
    content = content_of(FRAME, write="write_ipc_stream", compression="zstd")
    end = struct.pack("<ii", -1, 0)
    assert content.endswith(end)

    check_lengths(content + b"anything")
    with pytest.raises(ValueError, match="no Arrow stream"):
        check_lengths(content.removesuffix(end) + struct.pack("<i", 2**30))
