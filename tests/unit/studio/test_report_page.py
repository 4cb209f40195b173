"""The report of a version, and versions side by side."""

import json
import re

import polars as pl
import pytest
from starlette.testclient import TestClient

from mantic.report.html import article, stylesheet
from mantic.report.markup import escape
from mantic.studio.studio import Studio
from mantic.tasks.classify import Classifier


@pytest.fixture(scope="module")
def models(churn_like: pl.DataFrame) -> tuple[Classifier, Classifier]:
    """Return two models of churn."""
    table = churn_like.drop("customer")
    first = Classifier(budget="3 trials", learners=["linear"]).fit(table, "churned")
    return first, Classifier(budget="2 trials", learners=["tree"]).fit(table, "churned")


@pytest.fixture
def churn(studio: Studio, models: tuple[Classifier, Classifier]) -> Classifier:
    """Keep two versions of a model of churn; return the first."""
    for model in models:
        studio.store.models.register(model, "churn")
    return models[0]


def test_the_report_is_the_one_of_the_fit(client: TestClient, churn: Classifier) -> None:
    page = client.get("/models/churn/1/report").text

    assert escape(churn.report_.facts["verdict"]["sentence"].partition(":")[0]) in page
    assert page.count("<h1>") == 1
    assert "report.css" in page


def test_nothing_on_the_page_needs_what_its_policy_forbids(client: TestClient, churn: Classifier) -> None:
    page = client.get("/models/churn/1/report").text

    assert ' style="' not in page
    assert "<style" not in page
    assert "<script>" not in page
    assert ' style="' not in "".join(article(churn.report_))
    assert ".m-share-100{" in client.get("/static/report.css").text == stylesheet()


def test_the_report_can_be_taken_away(client: TestClient, churn: Classifier) -> None:
    page, data = client.get("/models/churn/1/report.html"), client.get("/models/churn/1/report.json")

    assert page.text.startswith("<!DOCTYPE html>")
    assert 'filename="churn-1.html"' in page.headers["content-disposition"]
    assert json.loads(data.text)["facts"]["target"] == "churned"


def test_a_name_leads_to_its_newest_version(client: TestClient, churn: Classifier) -> None:
    assert client.get("/models/churn").headers["location"] == "/models/churn/2/report"
    assert client.get("/models/nothing").status_code == 404


def test_versions_stand_side_by_side(client: TestClient, churn: Classifier) -> None:
    page = client.get("/models/churn/compare?a=1&b=2").text

    assert "difference" in page
    assert "How much each column matters" in page
    assert "churn/1" in page
    assert "churn/2" in page
    assert client.get("/models/churn/compare?a=1&b=").status_code == 404


def test_curves_of_two_versions_lie_in_one_chart(client: TestClient, churn: Classifier) -> None:
    page = client.get("/models/churn/compare?a=1&b=2").text
    specs = [json.loads(text) for text in re.findall(r'class="m-spec">(.*?)</script>', page)]

    assert "How they answer" in page
    assert [[name for name, *_ in spec["usermeta"]["series"]][:2] for spec in specs] == [["churn/1", "churn/2"]] * 3
    assert "churn/1: " in page
    assert "churn/2: " in page


def test_each_chart_has_its_drawing_and_its_data(client: TestClient, churn: Classifier) -> None:
    page, taken = client.get("/models/churn/1/report").text, client.get("/models/churn/1/report.html").text

    assert page.count('class="m-spec"') == page.count('role="img"') >= 4
    assert "chart.js" in page
    assert "<script" not in taken
