import re
from html.parser import HTMLParser

from mantic.core.schema import Column, Kind, Schema
from mantic.serve.app import make_app


class Page(HTMLParser):
    """Collects the tags of a page, and checks that they nest."""

    VOID = ("meta", "link", "input", "option")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_document_names_each_model_and_its_columns(ask):
    document = ask("GET", "/openapi.json").json()

    assert {"/v1/models/churn/predict", "/v1/models/spend/explain", "/healthz"} <= set(document["paths"])
    row = document["components"]["schemas"]["Row1"]
    assert row["properties"]["age"]["type"] == ["number", "null"]
    assert row["properties"]["age"]["description"] == "number; 18 to 94 when fitted; 10 % were missing"
    assert row["properties"]["plan"]["examples"] == ["basic", "premium"]
    assert row["required"] == ["age", "plan", "since", "is_member"]


def test_the_example_in_the_document_is_answered(ask, predict):
    document = ask("GET", "/openapi.json").json()
    example = document["paths"]["/v1/models/churn/predict"]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]

    answer = predict(*example["rows"]).json()

    assert example["rows"][0] == {"age": 56, "plan": "basic", "since": "2024-12-31", "is_member": True}
    assert answer["warnings"] == []


def test_every_reference_in_the_document_leads_somewhere(ask):
    answer = ask("GET", "/openapi.json")

    for name in re.findall(r'"\$ref":"#/components/schemas/(\w+)"', answer.text):
        assert name in answer.json()["components"]["schemas"]


def test_the_document_says_what_each_address_may_answer(ask):
    paths = ask("GET", "/openapi.json").json()["paths"]

    assert list(paths["/metrics"]["get"]["responses"]["200"]["content"]) == [
        ask("GET", "/metrics").headers["content-type"]
    ]
    for path in ("/metrics", "/v1/models", "/v1/models/churn"):
        assert {"200", "401", "403", "429"} == set(paths[path]["get"]["responses"])
    assert {"401", "403", "404", "413", "415", "429", "503", "504"} < set(paths["/v1/feedback"]["post"]["responses"])


def test_the_page_needs_nothing_from_outside(ask):
    answer = ask("GET", "/docs")
    page = Page(answer.text)

    assert not page.open
    assert "http://" not in answer.text
    assert "https://" not in answer.text
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("src", "href"):
            if (address := attributes.get(name)) and not address.startswith("data:"):
                assert ask("GET", f"/{address}").status_code == 200, (tag, address)


def test_every_field_of_the_form_has_a_label(ask):
    page = Page(ask("GET", "/docs").text)
    labelled = {attributes["for"] for tag, attributes in page.tags if tag == "label"}
    fields = [attributes["id"] for tag, attributes in page.tags if tag in ("input", "select")]

    assert len(fields) == len(set(fields)) == 8
    assert set(fields) == labelled


def test_texts_from_a_model_cannot_become_markup(churn, asker):
    evil = '"><script>alert(1)</script>'
    column = Column(evil, Kind.CATEGORY, levels=(evil,), n_levels=1, unit=evil)
    model = churn(schema_=Schema((column,)), target_=Column(evil, Kind.CATEGORY), version_=evil)
    ask = asker(make_app({evil.replace("/", "'"): model}))

    text = ask("GET", "/docs").text

    assert "<script>alert" not in text
    assert [attributes for tag, attributes in Page(text).tags if tag == "script"] == [
        {"src": "docs/form.js", "defer": None}
    ]


def test_the_root_leads_to_the_page(ask):
    assert ask("GET", "/").headers["location"] == "docs"
