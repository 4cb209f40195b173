"""How a fit stands, from what it has told."""

from datetime import UTC, datetime

from mantic.store.runs import KeptEvent, KeptRun
from mantic.studio.live import live_of

RUN = KeptRun("0" * 32, "churn", "fit", "done", "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", {"seconds": 60.0})


def story(*told: tuple[str, dict[str, object]]) -> list[KeptEvent]:
    return [KeptEvent(number, "", kind, facts) for number, (kind, facts) in enumerate(told, start=1)]


def measured(name: str, value: float, at: float, **facts: object) -> tuple[str, dict[str, object]]:
    return "measured", {"name": name, "value": value, "seconds_in": at, "facts": facts}


BASELINE = measured("baseline", 0.69, 1.0, metric="log_loss", higher_is_better=False)


def test_nothing_told_is_no_model() -> None:
    live = live_of(RUN, [])

    assert (live.sentence, live.tried, live.phase) == ("No model yet.", (), "starting")


def test_the_best_leads_and_is_held_against_guessing() -> None:
    live = live_of(
        RUN,
        story(
            BASELINE,
            measured(
                "log_loss", 0.5, 2.0, learner="linear", number=0, best=True, took=0.1, params={}, low=0.4, high=0.6
            ),
            measured(
                "log_loss", 0.4, 3.0, learner="boosting", number=1, best=True, took=0.2, params={"num_leaves": 15}
            ),
            measured("first_fold", 0.9, 4.0, learner="knn", number=2, best=False, took=0.3, params={}, goes_on=False),
        ),
    )

    assert [(one.learner, one.score) for one in live.tried] == [("boosting", 0.4), ("linear", 0.5)]
    assert (live.n_tried, live.n_behind) == (2, 1)
    assert live.tried[0].params == "num leaves 15"
    assert live.sentence == "The best candidate, boosting, scores 0.400 in log loss; guessing scores 0.690."


def test_how_sure_the_best_is_is_said_where_it_is_known() -> None:
    live = live_of(RUN, story(BASELINE, ("measured", live_event())))

    assert "scores 0.500 (0.4 to 0.6) in log loss" in live.sentence


def live_event() -> dict[str, object]:
    return measured("log_loss", 0.5, 2.0, learner="linear", number=0, best=True, took=0.1, low=0.4, high=0.6)[1]


def test_where_higher_is_better_the_highest_leads() -> None:
    live = live_of(
        RUN,
        story(
            measured("baseline", 0.5, 1.0, metric="roc_auc", higher_is_better=True),
            measured("roc_auc", 0.7, 2.0, learner="linear", number=0, best=True),
            measured("roc_auc", 0.8, 3.0, learner="tree", number=1, best=True),
        ),
    )

    assert live.best is not None
    assert live.best.learner == "tree"


def test_what_an_earlier_sitting_told_counts_once() -> None:
    live = live_of(
        RUN,
        story(
            BASELINE,
            measured("log_loss", 0.5, 2.0, learner="linear", number=0, best=True),
            BASELINE,
            measured("log_loss", 0.5, 9.0, learner="linear", number=0, best=True, recalled=True),
        ),
    )

    assert live.n_tried == 1
    assert [words for _, words in live.lines].count("linear scores 0.500, the best so far") == 1


def test_time_goes_on_while_somebody_is_at_it_and_stands_still_when_nobody_is() -> None:
    from mantic.core.process import this_process

    sat = datetime(2026, 1, 1, tzinfo=UTC)
    facts = {"sat": sat.isoformat(), "spent": 10.0, "seconds": 60.0}
    events, now = story(("started", {"name": "searching", "seconds_in": 12.0})), sat.replace(second=30)
    working = KeptRun(RUN.id, "churn", "fit", "running", RUN.started, None, {**facts, **this_process()})
    killed = KeptRun(RUN.id, "churn", "fit", "running", RUN.started, None, {**facts, **this_process(), "born": "x"})

    assert live_of(working, events, now=now).elapsed == 40.0
    assert live_of(killed, events, now=now).elapsed == 12.0
