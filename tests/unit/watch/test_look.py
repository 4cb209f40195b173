"""A look as a whole: what it says, which alerts it opens and closes, and the page."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest
from tests.unit.watch.conftest import NOW, spending, world

from mantic.core.errors import SettingsError
from mantic.report.blocks import Report, Text
from mantic.report.html import page
from mantic.tasks.forecast import Forecaster
from mantic.watch.alert import settle
from mantic.watch.asked import Subject
from mantic.watch.health import health, health_of
from mantic.watch.look import watch
from mantic.watch.page import report_of
from mantic.watch.period import last, weeks


@pytest.fixture
def look(store, churn):
    return lambda now=NOW, since="7d", subject=churn: watch(store, subject, last(since, now=now))


def test_traffic_is_counted_by_day_and_version(store, churn, answer, look):
    answer(churn, world(120, 1), days=5)
    answer(Subject("churn", 2, churn.model), world(60, 2), days=1)

    traffic = look().traffic

    assert (traffic.by, *traffic.slots[::7]) == ("day", "2026-05-13", "2026-05-20")
    assert {number: sum(rows) for number, rows in traffic.by_version.items()} == {1: 120, 2: 60}
    assert traffic.by_version[1][-3] == 24
    assert "180 rows were answered" in traffic.block().sentence
    assert traffic.block().x.label == "day (UTC)"


def test_where_nothing_was_asked_a_sentence_stands_in_the_place_of_the_chart(churn, answer, look):
    never = look().traffic.block()
    answer(churn, world(10, 1), days=5)
    long_ago = look(now=NOW + timedelta(days=30)).traffic.block()

    assert never == Text("No row was answered from 05-13 to 05-20.")
    assert long_ago.body.startswith("No row was answered from 06-12 to 06-19. The last one was on 2026-05-")


def test_a_forecast_is_not_watched_row_by_row(store):
    days = pl.date_range(date(2024, 1, 1), date(2024, 2, 29), eager=True)
    rows = pl.DataFrame({"day": days, "sold": [20 + 5 * (day.weekday() >= 5) for day in days]})
    model = Forecaster(7, budget="1 trial").fit(rows, time="day", target="sold")

    with pytest.raises(SettingsError, match="a forecast is not watched row by row"):
        watch(store, Subject("sold", 1, model), last("7d", now=NOW))


def test_a_day_is_counted_by_the_hour(churn, answer, look):
    answer(churn, world(48, 1), days=1)

    traffic = look(since="24h").traffic

    assert (traffic.by, len(traffic.slots)) == ("hour", 24)
    assert set(traffic.by_version[1]) == {2}


def test_a_calm_model_is_healthy_and_has_no_alert(store, churn, answer, look):
    answer(churn, world(600, 7))

    watched = look()

    assert settle(store, watched) == []
    assert health_of(watched, []).sentence == "Healthy: 600 rows look like training."
    assert health(store, "churn", now=NOW).level == "good"


def test_an_alert_is_opened_once_and_says_what_happened(store, churn, answer, look):
    answer(churn, world(800, 7, new_plan=0.12))

    first, again = settle(store, look()), settle(store, look())

    assert [one.id for one in first] == [one.id for one in again]
    (alert,) = first
    assert (alert.code, alert.level, alert.name, alert.facts["column"]) == ("drift", "warning", "churn", "plan")
    assert "'plan' has a value never seen in training in 1" in alert.text
    assert health(store, "churn", now=NOW).sentence == alert.text
    assert health_of(look(), first).level == "warning"


def test_an_alert_closes_by_itself_when_rows_are_as_they_should_be_again(store, churn, answer, look):
    later = NOW + timedelta(days=21)
    answer(churn, world(500, 7, age=48.0))
    opened = settle(store, look())
    answer(churn, world(600, 8), days=12, end=later)

    still = settle(store, look(now=later))

    assert [one.facts["column"] for one in opened] == ["age"]
    assert still == []
    assert store.audit.list(f"alert {opened[0].id}")[0].by == "mantic watch"


def test_what_came_back_is_opened_again(store, churn, answer, look):
    later, latest = NOW + timedelta(days=14), NOW + timedelta(days=27)
    answer(churn, world(500, 7, age=48.0))
    settle(store, look())
    answer(churn, world(900, 8), days=12, end=later)
    assert settle(store, look(now=later)) == []

    answer(churn, world(500, 9, age=48.0), days=6, end=latest)

    assert [one.facts["column"] for one in settle(store, look(now=latest))] == ["age"]


def test_what_a_person_closed_stays_closed(store, churn, answer, look):
    answer(churn, world(800, 7, new_plan=0.12))
    (alert,) = settle(store, look())

    store.alerts.close(alert.id, by="ada")

    assert settle(store, look()) == []
    assert len(store.alerts.find("churn")) == 1
    assert health_of(look(), []).sentence == "1 column moved; no alert about that is open."
    assert health_of(look(), []).level == "quiet"


def test_a_model_at_which_nobody_looks_is_not_called_good(store, churn, answer, look):
    now = datetime.now(UTC)
    answer(churn, world(600, 7), end=now)
    before = health(store, "churn")

    for _ in range(2):
        settle(store, look(now=now))

    assert (before.level, before.sentence) == ("quiet", "600 rows in 7 days; not looked at yet.")
    assert health(store, "churn").sentence == "600 rows in 7 days, no alerts."
    assert len(store.audit.list("watch churn")) == 1
    answer(churn, world(10, 7), days=1, end=now + timedelta(days=3))
    late = health(store, "churn", now=now + timedelta(days=3))
    assert (late.level, "not looked at since" in late.sentence) == ("quiet", True)


def test_alerts_of_a_version_that_answers_no_longer_are_over(store, churn, answer, look):
    answer(churn, world(800, 7, new_plan=0.12))
    settle(store, look())

    assert settle(store, look(subject=Subject("churn", 2, churn.model))) == []


def test_a_look_at_another_version_or_a_file_leaves_the_alerts_of_those_that_answer(
    store, churn, answer, look, tmp_path
):
    file = churn.model.save(tmp_path / "churn.mantic")
    for _ in range(3):
        store.models.register(file, "churn")
    store.deployments.put("churn/1")
    store.deployments.canary("churn/2", 0.1)
    answer(churn, world(800, 7, new_plan=0.12))
    answer(Subject("churn", 2, churn.model), world(800, 8, new_plan=0.12))
    opened = settle(store, look()) + settle(store, look(subject=Subject("churn", 2, churn.model)))

    for number in (3, None):
        settle(store, look(subject=Subject("churn", number, churn.model)))

    assert {one.facts["number"] for one in opened} == {1, 2}
    assert all(store.alerts.get(one.id).closed is None for one in opened)


def test_a_fall_of_quality_stops(store, churn, answer):
    now = datetime.now(UTC)
    rows = world(600, 7)
    wrong = {"yes": "no", "no": "yes"}
    truth = [wrong[one] if place % 5 == 0 else one for place, one in enumerate(rows["left"])]
    store.outcomes.add(dict(zip(answer(churn, rows, end=now), truth, strict=True)))

    watched = watch(store, churn, last("7d"))
    alerts = settle(store, watched)

    assert [(one.level, one.code) for one in alerts] == [("stop", "quality")]
    assert "worse than promised" in health_of(watched, alerts).sentence


def test_silence_is_said(store, churn, answer, look):
    assert health(store, "churn", now=NOW).sentence == "Nothing was asked yet."
    assert health_of(look(), []).sentence == "Nothing was asked yet."

    answer(churn, world(100, 7), days=1, end=NOW - timedelta(days=2))

    assert health(store, "churn", now=NOW).sentence == "No traffic since Monday."
    assert health_of(look(), []) == health(store, "churn", now=NOW)
    assert health(store, "churn", now=NOW + timedelta(days=30)).sentence == "No traffic since 2026-05-18."


def test_few_rows_make_no_alarm(store, churn, answer, look):
    answer(churn, world(40, 7, age=90.0))

    watched = look()

    assert settle(store, watched) == []
    assert "too few" in health_of(watched, []).sentence


@pytest.mark.parametrize("age", [40.0, 50.0])
def test_the_report_is_whole_on_a_page_and_as_json(store, churn, answer, look, age):
    rows = world(400, 7, age=age)
    ids = answer(churn, rows)
    store.outcomes.add(dict(zip(ids[:200], rows["left"], strict=False)))
    watched = look()

    report = report_of(watched, settle(store, watched))

    assert Report.from_json(report.to_json()) == report
    facts = json.loads(json.dumps(report.facts, allow_nan=False))
    assert facts["n_rows"] == 400
    assert {one["column"] for one in facts["drift"]} == set(churn.schema.names)
    assert [one["code"] for one in facts["alerts"]] == (["drift"] if age == 50.0 else [])
    assert page(report).count("<svg") >= 1


def test_a_model_of_numbers_can_be_watched(store, regressor, answer):
    subject = Subject("spend", 1, regressor)
    answer(subject, spending(world(300, 3, age=50.0)))

    watched = watch(store, subject, last("7d", now=NOW))
    report = report_of(watched, settle(store, watched))

    assert watched.estimate is None
    assert watched.moved[0].column == "age"
    assert "in the target's unit" in report.to_json()


@pytest.mark.parametrize("words", ["", "seven days", "0d", "999w", "-1d", "7"])
def test_what_is_no_stretch_of_time_is_refused(words):
    with pytest.raises(SettingsError, match="no stretch of time"):
        last(words)


def test_a_quarter_has_its_weeks():
    found = weeks(datetime(2026, 12, 31, 23, tzinfo=UTC))

    assert len(found) == 14
    assert found[0].since == datetime(2026, 10, 1, tzinfo=UTC)
    assert all(one.until == other.since for one, other in pairwise(found))
