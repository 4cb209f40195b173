"""What the author of a plug-in imports: the decorators and the contracts behind them.

>>> from mantic.extend import Layout, Learner, Params, Range, Run, Space, Table, Target, complete, learner
"""

from mantic.core.learner import AnswersRows, Choice, Learner, Params, Range, RowAnswer, Space, complete, learner
from mantic.core.metric import METRICS, Metric
from mantic.core.run import Run
from mantic.core.source import SOURCES, Source, source
from mantic.core.table import Array, EncodedRow, Layout, Table, Target

__all__ = [
    "METRICS",
    "SOURCES",
    "AnswersRows",
    "Array",
    "Choice",
    "EncodedRow",
    "Layout",
    "Learner",
    "Metric",
    "Params",
    "Range",
    "RowAnswer",
    "Run",
    "Source",
    "Space",
    "Table",
    "Target",
    "complete",
    "learner",
    "source",
]
