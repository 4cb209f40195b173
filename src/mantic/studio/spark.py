"""A chart the size of a word: how a column is spread."""

from collections.abc import Sequence

from mantic.report.blocks import Block, Chart, Group
from mantic.report.markup import escape

_WIDTH, _HEIGHT, _GAP = 96, 24, 1


def sparks(blocks: Sequence[Block]) -> dict[str, str]:
    """Return a small picture of each bar or histogram chart among the blocks, by the chart's title, as SVG."""
    found: dict[str, str] = {}
    for block in blocks:
        if isinstance(block, Group):
            found |= sparks(block.blocks)
        elif isinstance(block, Chart) and block.kind in ("bar", "histogram") and block.series:
            found[block.title] = _bars(block.series[0].y, block.sentence)
    return found


def _bars(heights: Sequence[float], sentence: str) -> str:
    most = max(heights, default=0.0) or 1.0
    width = _WIDTH / max(1, len(heights))
    tall = [max(_HEIGHT * height / most, 1.0 if height else 0.0) for height in heights]
    thick = max(width - _GAP, 0.5)
    bars = "".join(
        f'<rect x="{place * width:.1f}" y="{_HEIGHT - one:.1f}" width="{thick:.1f}" height="{one:.1f}"/>'
        for place, one in enumerate(tall)
    )
    words = escape(sentence)
    return (
        f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{words}"><title>{words}</title>{bars}</svg>'
    )
