"""Files of others are as their makers gave them, and every file is sent small and kept for good."""

from hashlib import sha256

import pytest
from starlette.testclient import TestClient

from mantic.studio.view import asset, static_bytes

# As in the packages htmx.org 2.0.11, vega 6.4.0 and vega-lite 6.4.3 of npm; the interpreter is that of
# vega-interpreter 2.3.2, with its import and export said for a plain script.
VENDORED = {
    "htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "vega.min.js": "8f6a3587cf8d4f42c7e08120e3eb05d067e746d554e39d2dcf52acc0bd5ba28f",
    "vega-lite.min.js": "35a9821df838825b05a6a73e9414b58747a1b18321583858ed903c66393a5c7e",
    "vega-interpreter.js": "13a4f2a220d589a845cc43242f181842f185b06308953c520ac5b7243536d4c6",
}
OWN = ("chart.js", "grid.js", "stream.js", "studio.js", "table.js", "try.js")
MOST_OWN = 60_000


@pytest.mark.parametrize("name", VENDORED)
def test_a_file_of_others_is_the_one_that_was_looked_at(name):
    assert sha256(static_bytes(f"vendor/{name}")).hexdigest() == VENDORED[name]


@pytest.mark.parametrize("name", ["htmx", "vega"])
def test_its_licence_lies_beside_it(name):
    assert b"Redistribution" in static_bytes(f"vendor/{name}.LICENSE.txt") or b"Permission" in static_bytes(
        f"vendor/{name}.LICENSE.txt"
    )


def test_our_own_scripts_together_stay_small_and_read_no_code_from_texts():
    texts = [static_bytes(name).decode() for name in OWN]

    assert sum(map(len, texts)) <= MOST_OWN
    assert not [text for text in texts if "eval(" in text or "Function(" in text]


def test_a_file_is_kept_by_the_browser_and_sent_packed_to_who_takes_it(client: TestClient):
    packed = client.get(asset("vendor/vega.min.js"), headers={"accept-encoding": "gzip"})
    plain = client.get(asset("vendor/vega.min.js"), headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == static_bytes("vendor/vega.min.js")
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["vary"] == "accept-encoding"
