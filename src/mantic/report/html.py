"""A Report as one self-contained page, as a notebook cell, and as a file."""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from mantic.core.errors import SettingsError
from mantic.core.files import write_atomic
from mantic.report.blocks import Block, Group, Report, Text
from mantic.report.json_form import to_json
from mantic.report.markup import Place, escape, render
from mantic.report.tokens import declarations

_LONG = 4  # from so many groups on, a page has a table of contents
_TOP = Place(2, "part")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(report: Report) -> str:
    """Return one HTML page: no network, no script, light and dark, from 320 pixels up, ready to print.

    >>> page(Report("Churn", (Text("<b>", style="verdict"),))).count("&lt;b&gt;")
    1
    """
    contents, body = article(report)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="generator" content="mantic">\n'
        f"<title>{escape(report.title)}</title>\n<style>{stylesheet()}</style>\n</head>\n"
        '<body class="mantic-page"><a class="mantic-skip" href="#main">Skip to the report</a>\n'
        f'<div class="mantic{" m-long" if contents else ""}">{contents}'
        f'<main id="main">{body}'
        "</main></div>\n</body>\n</html>\n"
    )


def article(report: Report, place: Place = _TOP) -> tuple[str, str]:
    """Return the contents (empty where the report is short) and the report itself, for a page with `stylesheet`."""
    parts = [block for block in report.blocks if isinstance(block, Group) and block.title]
    contents = _contents(report.blocks) if len(parts) >= _LONG else ""
    return contents, _body(report, place)


def fragment(report: Report) -> str:
    """Return the report for a notebook cell: its styles reach nothing outside, and follow the notebook's theme.

    >>> fragment(Report("Churn")).startswith("<style>")
    True
    """
    return f'<style>{stylesheet()}</style><div class="mantic m-cell" lang="en">{_body(report, Place(2))}</div>'


def save(report: Report, path: Path) -> Path:
    """Write the report as .html (a page) or .json (its data); the old file stays whole until the new one is.

    Raises
    ------
    SettingsError : if the file's name ends otherwise, or its folder does not exist.
    """
    path = Path(path)
    writers = {".html": page, ".json": to_json}
    if path.suffix.lower() not in writers:
        raise SettingsError(
            f"a report cannot be written as '{path.suffix or path.name}'",
            where=str(path),
            fix="end it in .html or .json",
        )
    if not path.parent.is_dir():
        raise SettingsError("there is no such folder", where=str(path.parent), fix="make the folder first")
    data = writers[path.suffix.lower()](report).encode("utf-8", "replace")
    with write_atomic(path) as part:
        part.write_bytes(data)
    return path


def _body(report: Report, place: Place) -> str:
    """Return title, verdict, then the rest in the order of its author."""
    verdicts = [block for block in report.blocks if isinstance(block, Text) and block.style == "verdict"]
    rest: list[Block] = [block for block in report.blocks if block not in verdicts]
    title = f"<h1>{escape(report.title)}</h1>" if report.title else ""
    subtitle = f'<p class="m-subtitle">{escape(report.subtitle)}</p>' if report.subtitle else ""
    return f"<header>{title}{subtitle}{render(verdicts, place)}</header>{_numbered(rest, place)}"


def _numbered(blocks: list[Block], place: Place) -> str:
    """Render the blocks; each group gets the anchor that the table of contents names."""
    parts, n_groups, run = [], 0, list[Block]()
    for block in [*blocks, None]:
        if isinstance(block, Group) or block is None:
            parts.append(render(run, place))
            run = []
        if isinstance(block, Group):
            n_groups += 1
            anchor = f"{place.anchor}{n_groups}" if place.anchor else ""
            parts.append(render([block], replace(place, anchor=anchor)))
        elif block is not None:
            run.append(block)
    return "".join(parts)


def _contents(blocks: tuple[Block, ...]) -> str:
    groups = [block for block in blocks if isinstance(block, Group)]
    links = "".join(
        f'<li><a href="#part{n}">{escape(group.title)}</a></li>' for n, group in enumerate(groups, 1) if group.title
    )
    return f'<nav aria-label="Contents"><ol role="list">{links}</ol></nav>'


@cache
def stylesheet() -> str:
    """Return the rules of style for blocks in an element of the class `mantic`."""
    rules = files("mantic.report").joinpath("style.css").read_text("utf-8")
    counts = [f".m-tiles-{n}{{--tiles:{n}}}" for n in range(1, 6)]
    counts += [f".m-columns-{n}{{--columns:{n}}}" for n in range(2, 5)]
    shares = [f".m-share-{n}{{--share:{n}%}}" for n in range(1, 101)]
    return rules.replace("/* TOKENS */", declarations()) + "".join((*counts, *shares))
