"""mantic decide: say what mistakes cost, and get the threshold, its value, and a model that decides."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from mantic.cli.forecast import check_of_table
from mantic.cli.kept import champion_of, store_of
from mantic.cli.screen import show_json, show_report, tell
from mantic.cli.table import load_model
from mantic.cli.words import Parser, check_output
from mantic.core.errors import SettingsError
from mantic.core.settings import read_settings
from mantic.store.reference import is_reference


def parser() -> Parser:
    """Return the options."""
    options = Parser(
        "decide",
        "Choose from which probability on to act, by what mistakes cost and by how many rows can be acted on, and say "
        "what that is worth on rows that nothing has seen. The decision is kept in the model; nothing is fitted again.",
        examples="  mantic decide churn.mantic --cost fp=1,fn=10 --unit EUR --report worth.html\n"
        "  mantic decide churn.mantic --cost gain:tp=50,fp=-2 --capacity 100/day\n"
        "  mantic decide churn.mantic --capacity 5%",
    )
    options.add_model()
    options.add_decision()
    options.add_argument("--out", metavar="FILE.mantic", help="write the model there (MODEL itself)")
    options.add_argument("--report", metavar="FILE.html", help="write the decision's report as one page")
    options.add_json()
    return options


def run(options: Namespace) -> int:
    """Decide, and keep the decision in the model."""
    is_kept = is_reference(options.model) and not options.out
    out = None if is_kept else check_output(options.out or options.model, "--out", (".mantic",))
    page = check_output(options.report, "--report", (".html", ".json"))
    model = load_model(options.model, options.plugin, options.signature)
    decide_with(model, options)
    where, told = _kept_again(model, options.model) if out is None else _saved(model, out)
    report = model.decision_.report
    if page:
        report.save(page)
    if options.json:
        show_json({**model.decision_.to_facts(), "model": where, "report": str(page) if page else None})
        return 0
    show_report(report)
    tell(f"\n{told}")
    if page:
        tell(f"wrote {page}")
    return 0


def _saved(model: Any, out: Path) -> tuple[str, str]:
    """Write the file; return where it is, and what to say."""
    model.save(out)
    return str(out), f"saved {out}; 'mantic predict' and 'mantic serve' now answer with a decision"


def _kept_again(model: Any, words: str) -> tuple[str, str]:
    """Keep a model that decides as the next version of its name: the one without a decision stays as it is."""
    with store_of(read_settings().store) as store:
        before = store.models.get(words)
        version = store.models.register(
            model, before.name, note=f"{before} with a decision", fingerprint=before.fingerprint
        )
        told = (
            f"kept as {version} {champion_of(version, store.models)}; 'mantic models promote {version}' lets it answer"
        )
        return str(version), told


def decide_with(model: Any, options: Namespace) -> None:
    """Let a fitted model decide by the options.

    Raises
    ------
    SettingsError : if the model predicts a number, or the options make no sense.
    """
    check_of_table(model, "a decision")
    if not hasattr(model, "decide"):
        raise SettingsError(
            "this model predicts a number, and a decision is about classes",
            where="--cost" if options.cost else "--capacity",
            fix="predict whether the number is above a limit that matters",
        )
    model.decide(options.cost, capacity=options.capacity, unit=options.unit)
