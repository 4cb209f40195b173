"""Models of the Hugging Face hub: fetched only where the user says `hf://owner/name`."""

import re
from pathlib import Path

from mantic.core.errors import SourceError
from mantic.core.lazy import need, quietly

PREFIX = "hf://"
_NAMED = re.compile(rf"{PREFIX}(?P<name>[\w-][\w.-]*/[\w-][\w.-]*)(?:@(?P<revision>[\w./-]+))?")
_WANTED = ("config.json", "model.safetensors")


class Named(str):
    """A place of a pretrained model that a file names, not the user of now: nothing is fetched for it."""

    __slots__ = ()


def is_named(source: str) -> bool:
    """Return whether a text names a model of the hub.

    >>> is_named("hf://amazon/chronos-2"), is_named("amazon/chronos-2"), is_named("hf://amazon/chronos-2@main")
    (True, False, True)
    """
    return _NAMED.fullmatch(source) is not None


def fetch(source: str) -> Path:
    """Return the folder of a model of the hub; what is not on this machine yet is fetched: config and weights only.

    Raises
    ------
    SourceError : if the hub cannot be reached, or has no such model.
    """
    return _snapshot(source, is_fetched=True, fix="check the name and the network, or give a folder")


def kept(source: str) -> Path:
    """Return the same if it was fetched before; the hub is not asked.

    Raises
    ------
    SourceError : if it was not.
    """
    fix = f"fetch it first, as by 'hf download {source.removeprefix(PREFIX)}', or set pretrained to it yourself"
    return _snapshot(source, is_fetched=False, fix=fix)


def _snapshot(source: str, *, is_fetched: bool, fix: str) -> Path:
    named = _NAMED.fullmatch(source)
    assert named is not None
    with quietly():
        hub = need("huggingface_hub", why="a model of the hub")
        try:
            place = hub.snapshot_download(
                named["name"], revision=named["revision"], allow_patterns=list(_WANTED),
                local_files_only=not is_fetched,
            )  # fmt: skip
        except Exception as error:  # of its own, of its library for HTTP, or of the system
            what = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise SourceError(f"the hub gives no such model: {what}", where=source, fix=fix) from error
    return Path(place)
