import pytest

from mantic.core.strict_json import read_json

BAD = ["NaN", "[Infinity]", "-Infinity", '{"a": 1, "a": 2}', "{", "", "1" * 5000, b"\xff", "[" * 100_000]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_decent_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        read_json(text)


def test_the_depth_is_limited_to_the_level() -> None:
    assert read_json("[[[]]]", max_depth=2) == [[[]]]
    assert read_json("[[[1]]]", max_depth=3) == [[[1]]]
    with pytest.raises(ValueError, match="nested deeper than 2"):
        read_json("[[[1]]]", max_depth=2)
