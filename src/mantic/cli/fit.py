"""mantic fit: learn to predict a column, within a time budget."""

import shlex
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from mantic.cli.forecast import FORECAST, TASKS, add_forecast, check_forecast, fitted_forecast
from mantic.cli.kept import keep
from mantic.cli.progress import following
from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.scribe import Scribe, Work, writing
from mantic.cli.sitting import journal_of, left_of
from mantic.cli.story import Story
from mantic.cli.words import Parser, check_output, column_kind, load_plugins, parameter, stem
from mantic.core.budget import Budget, Deadline, Pace
from mantic.core.errors import ManticError
from mantic.core.interrupt import watch_ctrl_c
from mantic.core.journal import Journal
from mantic.core.run import Run, Started
from mantic.core.settings import Settings, read_settings
from mantic.store.address import masked
from mantic.store.reference import name_for

_MODEL_SECONDS, _PAGE_SECONDS, _DECISION_SECONDS = 0.2, 1.5, 0.5  # to make them, on an idle machine
_STORE_SECONDS = 0.4  # to keep the model; the store was opened while the search went on


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "fit",
        "Learn to predict a column, and say honestly how well that goes. Ctrl-C keeps the best model so far.",
        examples="  mantic fit churn.csv --target churned --budget 5m --report report.html\n"
        "  mantic fit churn.csv --target churned --learner svm --set svm.C=10\n"
        "  mantic fit churn.csv --target churned --cost fp=1,fn=10 --unit EUR\n"
        "  mantic fit sales.csv --task forecast --time date --target sold --series store,item --horizon 28",
    )
    options.add_data()
    options.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict")
    options.add_argument("--task", choices=TASKS, help="classify or regress is chosen by the target's values")
    options.add_argument("--budget", metavar="TIME", help="wall clock for everything: 30s, 5m, 1h, or '8 trials' (60s)")
    options.add_argument("--latency", metavar="TIME", help="what the model may take to answer for one row, as in 1ms")
    options.add_argument("--resume", action="store_true", help="go on with a fit of this --out that was killed")
    options.add_argument("--seed", type=int, default=0, help="every random choice comes from it (0)")
    options.add_argument("--metric", metavar="NAME", help="what to optimise (log_loss or rmse)")
    options.add_argument("--positive", metavar="LABEL", help="of two classes, the one to find (the rarer)")
    options.add_argument(
        "--learner", action="append", metavar="NAME", help="use only this one; may be repeated (all that fit)"
    )
    options.add_argument(
        "--set",
        action="append",
        default=[],
        type=parameter,
        metavar="NAME.PARAMETER=VALUE",
        help="fix a parameter, as in svm.C=10",
    )
    options.add_argument("--drop", action="append", default=[], metavar="A,B", help="columns to leave out")
    options.add_argument(
        "--kind",
        action="append",
        default=[],
        type=column_kind,
        metavar="COLUMN=KIND",
        help="what a column means, over what is found: number, category, boolean, date, text, image, id",
    )
    options.add_argument("--time", metavar="COLUMN", help="orders the rows: earlier ones learn, later ones judge")
    options.add_argument("--group", metavar="COLUMN", help="rows with the same value stay together")
    add_forecast(options)
    options.add_decision()
    options.add_argument("--run", metavar="ID", default="", help="keep the story under this id: 32 of 0-9, a-f")
    options.add_argument("--out", metavar="FILE.mantic", help="the model (the name of DATA, in this folder)")
    options.add_argument("--no-store", action="store_true", help="do not keep the model in the store, too")
    options.add_argument("--report", metavar="FILE.html", help="write the report as one page")
    options.add_plugin()
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Fit, save, and say how good it is."""
    settings = read_settings({"budget.default": options.budget})
    words = f"{settings.budget.default}, {options.latency} per row" if options.latency else settings.budget.default
    budget = Budget.parse(words)
    out = check_output(options.out or f"{stem(options.data)}.mantic", "--out", (".mantic",))
    page = check_output(options.report, "--report", (".html", ".json"))
    assert out is not None
    check_forecast(options)
    _check_decision(options)
    with watch_ctrl_c(), journal_of(out, resume=options.resume, started=options.started) as journal:
        whole = Deadline.after(left_of(budget, journal), since=options.started)
        deadline = whole.earlier(_writing_seconds(options, budget))
        story = Story(options.started, journal.spent if journal is not None else 0.0)
        with (
            following(options.started, deadline) as listener,
            _writing(options, settings, out, story=story, budget=budget) as scribe,
        ):
            work = Run(
                seed=options.seed, threads=_threads(settings), deadline=deadline, listeners=[listener, story],
                journal=journal,
            )  # fmt: skip
            with work:
                with _told_if_lost():
                    model = _fitted(options, words, work)
                work.tell(Started("saving"))
            kept = _save(model, options, out, scribe, journal=journal)
            if page:
                model.report_.save(page)
    seconds = time.monotonic() - options.started
    if options.json:
        paths = {"model": str(out), "kept": kept, "report": str(page) if page else None}
        show_json({**model.report_.facts, "seconds": round(seconds, 3), **paths})
        return 0
    show_report(_first_part(model.report_))
    tell(f"\nsaved {out} ({out.stat().st_size / 1e6:.1f} MB) after {seconds:.0f} s. Next:")
    for line in _next_steps(options, out, page):
        tell(f"  {line}")
    return 0


@contextmanager
def _told_if_lost() -> Iterator[None]:
    """Say that a Ctrl-C came too early to keep a model, or twice."""
    try:
        yield
    except KeyboardInterrupt:
        tell("no model is kept: one Ctrl-C keeps the best so far once there is a first score, a second one nothing")
        raise


def _writing(
    options: Namespace, settings: Settings, out: Path, *, story: Story, budget: Budget
) -> AbstractContextManager[Scribe | None]:
    """Return what puts the story of the fit down while it is told."""
    if options.no_store:
        return nullcontext()
    command = shlex.join(["mantic", *(masked(word) for word in options.command)])
    facts = {
        "data": masked(options.data), "target": options.target, "task": options.task or "", "out": str(out.absolute()),
        "budget": settings.budget.default, "seconds": budget.seconds, "command": command, "sat": story.began,
        "spent": story.spent,
    }  # fmt: skip
    work = Work(name_for(out), facts, run=options.run, is_resumed=options.resume)
    return writing(settings.store, work, story)


def _save(model: Any, options: Namespace, out: Path, scribe: Scribe | None, *, journal: Journal | None) -> str | None:
    """Decide, save, and keep in the store; costs that do not fit cost the decision, not the model."""
    refused = None
    try:
        if _is_to_decide(options):
            model.decide(options.cost, capacity=options.capacity, unit=options.unit)
    except ManticError as error:
        refused = error
    model.save(out)
    if journal is not None:
        journal.remove()
    if refused is not None:
        tell(f"saved {out}, without a decision: 'mantic decide {shlex.quote(str(out))}' can make one")
    kept = None if scribe is None else keep(out, options.data, scribe)
    if refused is not None:
        raise refused
    return kept


def _writing_seconds(options: Namespace, budget: Budget) -> float:
    """Return what to keep of the budget for writing model and page; more where others compute too."""
    idle = (_PAGE_SECONDS if options.report else _MODEL_SECONDS) + _DECISION_SECONDS * _is_to_decide(options)
    idle += 0.0 if options.no_store else _STORE_SECONDS
    return min(idle * Pace(since=options.started).slowdown(), (budget.seconds or 0.0) / 3)


def _threads(settings: Settings) -> int:
    """Return the threads of one process: as set, or the cores shared among the workers that are set, or one."""
    import os

    workers = settings.executor.workers
    return settings.executor.threads or (max(1, (os.cpu_count() or 1) // workers) if workers else 1)


def _fitted(options: Namespace, budget: str, work: Run) -> Any:
    work.tell(Started(f"reading {masked(options.data)}"))
    load_plugins(options.plugin)
    if options.task == FORECAST:
        return fitted_forecast(options, budget, work)
    from mantic.sources.read import read
    from mantic.tasks.choose import choose, make, of_features, without

    dropped = [name for names in options.drop for name in names.split(",") if name]
    frame = read(options.data, run=work)
    kinds = dict(options.kind)
    kind = choose(frame, options.target, task=options.task, kinds=kinds)
    asked = {"budget": budget, "seed": options.seed, "metric": options.metric, "learners": options.learner}
    model = make(kind, {**asked, "params": dict(options.set) or None, "positive": options.positive})
    frame = without(frame, dropped, target=options.target)
    if _is_to_decide(options) and options.target in frame.columns:
        from mantic.tasks.decide import foresee

        foresee(model, frame[options.target], cost=options.cost, capacity=options.capacity)
    kinds = of_features(kinds, target=options.target, group=options.group)
    work = replace(work, dropped=tuple(dropped))
    return model.fit(frame, options.target, time=options.time, group=options.group, kinds=kinds, run=work)


def _is_to_decide(options: Namespace) -> bool:
    if options.task == FORECAST:  # its capacity is one of series
        return False
    return options.cost is not None or options.capacity is not None


def _check_decision(options: Namespace) -> None:
    """Read costs and capacity before the work begins."""
    if not _is_to_decide(options):
        return
    if options.cost is not None:
        from mantic.evaluate.costs import read_costs

        read_costs(options.cost)
    if options.capacity is not None:
        from mantic.evaluate.capacity import read_capacity

        read_capacity(options.capacity)


def _first_part(report: Any) -> Any:
    """Return the verdict, the figures, the warnings and the decision of a report."""
    from mantic.evaluate.blocks_decision import TITLE
    from mantic.report.blocks import Alert, Group, Number, Text

    def is_first(block: Any) -> bool:
        if isinstance(block, Group) and block.title == TITLE:
            return True
        if isinstance(block, Group):
            return all(isinstance(one, Number | Alert) for one in block.blocks)
        return isinstance(block, Number | Alert) or (isinstance(block, Text) and block.style == "verdict")

    return replace(report, blocks=tuple(block for block in report.blocks if is_first(block)))


def _next_steps(options: Namespace, out: Path, page: Path | None) -> list[str]:
    data = "new.csv" if options.data == "-" else options.data
    model = shlex.quote(str(out))
    rows = "" if options.task == FORECAST else f" {shlex.quote(data)}"
    steps = [f"mantic predict {model}{rows} --out answers.csv", f"mantic serve {model}"]
    return [f"open {page}", *steps] if page else [*steps, "(--report report.html would show it all as a page)"]
