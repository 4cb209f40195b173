"""Blocks for pages whose charts answer to the pointer and the keyboard."""

from collections.abc import Sequence

from mantic.report.blocks import Block, Report
from mantic.report.html import article
from mantic.report.markup import Place, render
from mantic.report.vega import spec_block


def live(blocks: Sequence[Block]) -> str:
    """Return blocks as HTML; what `chart.js` needs stands behind the drawing of each chart."""
    return render(blocks, Place(3, behind=spec_block))


def live_article(report: Report) -> tuple[str, str]:
    """Return contents and body of a whole report, likewise."""
    return article(report, Place(2, "part", behind=spec_block))
