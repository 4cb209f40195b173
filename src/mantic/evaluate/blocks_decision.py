"""A decision as pictures and tables: what it is worth, what else could be done, and what if the costs are others."""

import shlex
from dataclasses import replace

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.decide import Decision, Policy, Weighed, decide, times
from mantic.evaluate.decision_words import case, doing, figure, per, rounded, sentence, shown, span, word
from mantic.evaluate.intervals import Interval
from mantic.evaluate.prepared import Means
from mantic.evaluate.resample import Resamples
from mantic.evaluate.sensitivity import Change, sensitivity, worst_loss
from mantic.evaluate.unseen import Answers, Unseen
from mantic.evaluate.verdict import of_100
from mantic.report.blocks import Alert, Axis, Block, Cell, Chart, Grid, Group, Number, Report, Series, Text
from mantic.report.numbers import say

TITLE = "What it is worth"
_POINTS = 60  # of a curve
_MOST_LISTED = 30


def decided(weighed: Weighed, *, target: str) -> Decision:
    """Decide, and say so in a sentence and a report.

    Raises
    ------
    SettingsError : if there is nothing to decide.
    """
    return _told(decide(weighed, target=target), weighed)


def valued_again(
    decision: Decision, truth: Array, guess: Array, *, clusters: Array | None = None, seed: int
) -> Decision:
    """Return a decision with its value on new rows; the threshold stays as it is.

    Parameters
    ----------
    truth, guess : class codes (n_rows,) and probabilities (n_rows, n_classes) of rows that were not learned from.
    clusters : which rows belong together; None where each stands for itself.
    """
    none, n_classes = np.empty(0, dtype=np.int64), len(decision.costs.classes)
    inner = Answers(none, np.empty((0, n_classes)), none)
    unseen = Unseen(inner, Answers(truth, guess, np.zeros(len(truth), dtype=np.int64)), 0, n_held_out=len(truth))
    thresholds = {} if decision.threshold is None else {0: decision.threshold}
    plan = Resamples.draw(len(truth), clusters=clusters, seed=seed)
    weighed = Weighed(unseen, decision.costs, decision.capacity, thresholds, plan)
    return _told(replace(decide(weighed, target=decision.target), limit=decision.limit), weighed)


def _told(bare: Decision, weighed: Weighed) -> Decision:
    told = replace(bare, sentence=sentence(bare, weighed))
    report = Report(
        f"{TITLE}: {told.target}",
        (Text(told.sentence, "verdict"), *_blocks(told, weighed)),
        f"{told.n_held_out:,} held-out rows, each decided by a threshold that was chosen on other rows."
        if told.costs.is_binary
        else f"{told.n_held_out:,} held-out rows.",
        told.to_facts(),
    )
    return replace(told, report=report)


def section(decision: Decision) -> Group:
    """Return the decision's report as one section of a larger one."""
    return Group(TITLE, (Text(decision.sentence), *decision.report.blocks[1:]), note=decision.report.subtitle)


def _blocks(decision: Decision, weighed: Weighed) -> list[Block]:
    blocks: list[Block] = [*_tiles(decision), *_warning(decision)]
    if decision.costs.is_binary:
        blocks.append(
            Group("How many to act on", (value_curve(decision, weighed), gain_curve(decision, weighed)), columns=2)
        )
    else:
        blocks += [_bars(decision), _decided_classes(decision, weighed)]
    blocks.append(_policies(decision))
    changes = sensitivity(weighed) if len(weighed.unseen.inner) else []  # else there is nothing to choose anew by
    return [*blocks, *([_changes(decision, changes)] if changes else []), *_again(decision)]


def _again(decision: Decision) -> list[Group]:
    """Return how to decide so again, in a shell and in Python."""
    costs, capacity = decision.costs, decision.capacity
    asked = {"cost": costs.text} | ({} if capacity is None else {"capacity": capacity.text})
    asked |= {"unit": costs.unit} if costs.text and costs.unit else {}
    given = {name: text for name, text in asked.items() if text}
    is_dict = costs.text.startswith("{")  # which has no word in a shell
    said = [f"{name}={text if name == 'cost' and is_dict else repr(text)}" for name, text in given.items()]
    texts = [Text(f"model.decide({', '.join(said)})", "code")]
    if not is_dict:
        command = shlex.join(["mantic", "decide", "MODEL", *(w for name in given for w in (f"--{name}", given[name]))])
        texts.insert(0, Text(command, "code"))
    return [Group("How to decide so again", tuple(texts), fold=True)]


def _tiles(decision: Decision) -> list[Number]:
    best = decision.policy(decision.best_trivial)
    capacity = decision.capacity
    tiles = []
    if decision.threshold is not None:
        limit = "" if capacity is None else f"capacity {say(capacity.share, 'share')}"
        if capacity is not None and capacity.column:
            limit += f" of {capacity.n_rows:,.0f} rows {per(decision)} by '{capacity.column}'"
        tiles.append(Number("act from probability", f"{decision.threshold:.3g}", note=f"of {case(decision)}"))
        tiles.append(Number("rows acted on", decision.share or 0.0, "share", note=limit))
    value, lead = rounded(shown(decision, decision.value)), rounded(times(best.ahead, decision.n_rows))
    than = "less" if decision.costs.kind == "cost" else "more"
    unit = decision.costs.unit
    return [
        *tiles,
        Number(f"{word(decision)} {per(decision)}", value.score, unit, *_ends(value)),
        Number(f"{than} than {doing(best)}", lead.score, unit, *_ends(lead), note="what goes without a model"),
    ]


def _warning(decision: Decision) -> list[Alert]:
    if decision.level == "good":
        return []
    best = decision.policy(decision.best_trivial)
    return [
        Alert(
            "warning", "decision_needs_no_model",
            f"The decision is not clearly better than {doing(best)}.",
            "The 95 % interval of its lead includes none.",
            "Check the costs; otherwise do without the model, or bring more rows to judge by.",
        )
    ]  # fmt: skip


def value_curve(decision: Decision, weighed: Weighed) -> Chart:
    """Return cost or gain against the share of rows that is acted on, highest probabilities first."""
    at, parts = _acted_shares(weighed.chance)
    act, leave = (weighed.worth(weighed.acting(np.full(len(parts), share))) for share in (1.0, 0.0))
    sign = -decision.n_rows if decision.costs.kind == "cost" else decision.n_rows
    values = sign * (leave[:, None] + parts * (act - leave)[:, None])
    means = values.mean(axis=0)
    draws = weighed.plan.few().scores(Means(values, lambda means: means))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0) if np.isfinite(draws).all() else (means, means)
    point = shown(decision, decision.value)
    ends = (float(sign * leave.mean()), float(sign * act.mean()))
    series = [
        Series("by the model", _floats(means), _floats(at), _floats(low), _floats(high)),
        Series("by chance", ends, (0.0, 1.0), is_reference=True),
        Series("this decision", (point.score,), (decision.share or 0.0,)),
    ]  # fmt: skip
    if decision.capacity is not None:
        reach = (float(min(low.min(), *ends)), float(max(high.max(), *ends)))
        series.append(Series("capacity", reach, (decision.capacity.share,) * 2, is_reference=True))
    best = int(means.argmin() if decision.costs.kind == "cost" else means.argmax())
    most = "least" if decision.costs.kind == "cost" else "most"
    told = f"On these rows it {_verb(decision)} {most} when {of_100(float(at[best]))} of 100 rows are acted on"
    if decision.costs.kind == "found":
        told = "The more rows are acted on, the more are found"
    return Chart(
        "line",
        f"{word(decision).capitalize()} by how many rows are acted on",
        f"{told}; this decision acts on {of_100(decision.share or 0.0)}. The ends are acting on nobody and everybody.",
        tuple(series),
        x=Axis("rows acted on, highest probability first", "share"),
        y=Axis(f"{word(decision)} {per(decision)}", decision.costs.unit),
    )


def gain_curve(decision: Decision, weighed: Weighed) -> Chart:
    """Return the share of the cases that is found against the share of rows that is acted on."""
    at, parts = _acted_shares(weighed.chance)
    is_case = weighed.is_case
    n_cases = max(1, int(is_case.sum()))
    found = (parts * is_case[:, None]).sum(axis=0) / n_cases
    hit = float((weighed.acted() & is_case).sum() / n_cases)
    share = decision.share or 0.0
    right = f" {of_100(hit * n_cases / (share * len(is_case)))} of 100 acts are right." if share else ""
    return Chart(
        "line",
        f"{case(decision)} rows that are found",
        f"Acting on {of_100(share)} of 100 rows finds {of_100(hit)} of 100 {case(decision)} rows.{right}",
        (
            Series("by the model", _floats(found), _floats(at)),
            Series("by chance", (0.0, 1.0), (0.0, 1.0), is_reference=True),
            Series("this decision", (hit,), (share,)),
        ),
        x=Axis("rows acted on, highest probability first", "share"),
        y=Axis(f"{case(decision)} rows among them", "share"),
    )


def _acted_shares(chance: Array) -> tuple[Array, Array]:
    """Return shares of rows from 0 to 1, and for each how much of every row is acted on; shape (n_rows, n_shares).

    Rows of equal probability are acted on together, each in part.
    """
    n_rows = len(chance)
    falling = -chance
    ranks = np.sort(falling)
    before, upto = np.searchsorted(ranks, falling, side="left"), np.searchsorted(ranks, falling, side="right")
    at = np.unique(np.linspace(0, n_rows, _POINTS + 1).round()) / n_rows
    parts = np.clip((at[None, :] * n_rows - before[:, None]) / (upto - before)[:, None], 0.0, 1.0)
    return at, parts


def _bars(decision: Decision) -> Chart:
    values = [shown(decision, one.value) for one in decision.policies]
    bars = Series(
        word(decision), tuple(one.score for one in values),
        low=tuple(one.low for one in values), high=tuple(one.high for one in values),
    )  # fmt: skip
    names = tuple(one.name for one in decision.policies)
    return Chart(
        "bar",
        f"{word(decision).capitalize()} of each way to decide",
        f"{word(decision).capitalize()} {per(decision)} on held-out rows, with 95 % intervals.",
        (bars,),
        Axis(labels=names),
        Axis(f"{word(decision)} {per(decision)}", decision.costs.unit),
        horizontal=True,
    )


def _decided_classes(decision: Decision, weighed: Weighed) -> Grid:
    guess = weighed.answers.guess.astype(np.float64)
    n_classes = len(decision.costs.classes)
    counts = [
        np.bincount(codes, minlength=n_classes)
        for codes in (weighed.answers.truth, guess.argmax(axis=1), decision.decide(guess))
    ]
    order = np.argsort(-counts[0], kind="stable")[:_MOST_LISTED]
    rows = tuple((decision.costs.classes[code], *(int(one[code]) for one in counts)) for code in order)
    return Grid(("class", "true rows", "likeliest", "decided"), rows, title="What is decided")


def _policies(decision: Decision) -> Grid:
    heads = ["policy", "acted on", word(decision), "lead"]  # short: the table must fit a phone
    rows = [_policy(decision, one) for one in decision.policies]
    if not decision.costs.is_binary:
        heads.pop(1)
        rows = [(row[0], *row[2:]) for row in rows]
    note = "Lead: how much better this decision is. In brackets: 95 % intervals."
    if not all(one.is_possible for one in decision.policies):
        note += " * More rows than the capacity allows."
    return Grid(tuple(heads), tuple(rows), title=f"Ways to decide{_figures(decision)}", note=note)


def _policy(decision: Decision, policy: Policy) -> tuple[Cell, ...]:
    value, lead = shown(decision, policy.value), times(policy.ahead, decision.n_rows)
    return (
        policy.name.removeprefix("act on ").removeprefix("act ") + ("" if policy.is_possible else " *"),
        say(policy.share, "share"),
        figure(value.score, "") + span(value),
        "" if policy.key == "decision" else figure(lead.score, "") + span(lead),
    )


def _changes(decision: Decision, changes: list[Change]) -> Grid:
    n_rows = decision.n_rows
    loss = worst_loss(changes) * n_rows
    heads = ["if", "act from", "acted on", word(decision), "lost"]
    rows: list[tuple[Cell, ...]] = []
    for one in changes:
        value = shown(decision, Interval(one.value, one.value, one.value)).score
        first: tuple[Cell, ...] = (one.what,)
        if one.threshold is not None:
            first = (one.what, "nobody" if one.threshold > 1 else f"{one.threshold:.3g}", say(one.share, "share"))
        rows.append((*first, figure(value, ""), figure((one.value - one.kept) * n_rows, "")))
    if not decision.costs.is_binary:
        del heads[1:3]
    told = f"loses at most {figure(loss, decision.costs.unit)} {per(decision)}" if loss else "loses nothing"
    note = f"Lost: by deciding as now all the same. A cost that is off by a factor of two {told}."
    return Grid(tuple(heads), tuple(rows), title=f"If the costs are others{_figures(decision)}", note=note)


def _figures(decision: Decision) -> str:
    """Return what the figures of a table are, for its title."""
    unit = f" in {decision.costs.unit}" if decision.costs.unit and decision.costs.kind != "found" else ""
    return f": {word(decision)} {per(decision)}{unit}"


def _verb(decision: Decision) -> str:
    return "costs" if decision.costs.kind == "cost" else "brings"


def _ends(value: Interval) -> tuple[float | None, float | None]:
    return (value.low, value.high) if np.isfinite(value.low) else (None, None)


def _floats(values: Array) -> tuple[float, ...]:
    return tuple(float(one) for one in values)
