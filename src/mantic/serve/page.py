"""The page behind /docs: what can be asked, and a form per model to try it; works without the network."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from mantic.core.schema import Column, Kind
from mantic.report.tokens import declarations
from mantic.serve.example import about_column, example_row
from mantic.serve.openapi import openapi
from mantic.serve.served import Served

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def style() -> str:
    """Return the page's style sheet, with the colours of the reports."""
    return f":root{{{declarations()}}}\n{_static('docs.css')}"


def script() -> str:
    """Return the page's script."""
    return _static("docs.js")


def page(models: Sequence[Served], *, version: str) -> str:
    """Return the page as HTML; every text from a model is escaped."""
    sections = "".join(_section(model) for model in models)
    addresses = "".join(
        f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td><td>{escape(one['summary'])}</td></tr>"
        for path, methods in openapi(models, version=version)["paths"].items()
        for method, one in methods.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>mantic: ask a model</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="docs/style.css"><script src="docs/form.js" defer></script></head><body>'
        '<h1>Ask a model</h1><p class="muted">Fill in what you know; an empty field counts as missing. '
        f'For programs: <a href="openapi.json">openapi.json</a> · <a href="docs/client.py">client.py</a> · '
        f"mantic {escape(version)}</p>"
        f"<main>{sections}<section><h2>All addresses</h2><table><thead><tr><th>Method</th><th>Address</th>"
        f"<th>Answer</th></tr></thead><tbody>{addresses}</tbody></table></section></main></body></html>"
    )


def _section(model: Served) -> str:
    example = example_row(model.schema)
    fields = "".join(
        _field(f"{quote(model.name)}-{place}", column, example.get(column.name))
        for place, column in enumerate(model.schema.columns)
        if column.is_used
    )
    address = f"v1/models/{quote(model.name)}"
    head = model.head()
    return (
        f"<section><h2>{escape(model.name)}</h2>"
        f"<p class=muted>Predicts <b>{escape(model.model.target_.name)}</b> ({escape(model.task)}), "
        f"version <code>{escape(head['version'])}</code></p>"
        f'<form data-predict="{address}/predict" data-explain="{address}/explain" autocomplete="off">{fields}'
        '<div class="buttons"><button class="first" value="predict">Predict</button>'
        '<button value="explain">Explain</button></div></form>'
        '<h3>The call</h3><pre class="call" data-language="curl"></pre>'
        '<details><summary>In Python</summary><pre class="call" data-language="python"></pre></details>'
        '<details><summary>In JavaScript</summary><pre class="call" data-language="javascript"></pre></details>'
        "<details><summary>In Excel (Data, Get Data, Blank Query, Advanced Editor)</summary>"
        '<pre class="call" data-language="excel"></pre></details>'
        '<h3>The answer</h3><pre class="answer" aria-live="polite"></pre></section>'
    )


def _field(key: str, column: Column, example: Any) -> str:
    name, about = escape(column.name), escape(about_column(column))
    value = escape("" if example is None else str(example))
    head = f'<div><label for="{key}">{name} <small>{about}</small></label>'
    if column.kind == Kind.BOOLEAN:
        words = {"": "missing", "true": "yes", "false": "no"}
        choices = "".join(
            f'<option value="{one}"{" selected" if one == "true" else ""}>{word}</option>'
            for one, word in words.items()
        )
        return f'{head}<select id="{key}" name="{name}" data-type="boolean">{choices}</select></div>'
    attributes = f'id="{key}" name="{name}" value="{value}" data-type="{_TYPE.get(column.kind, "string")}"'
    if column.kind == Kind.NUMBER:
        return f'{head}<input {attributes} inputmode="decimal"></div>'
    if column.kind != Kind.CATEGORY:
        return f"{head}<input {attributes}></div>"
    choices = "".join(f'<option value="{escape(level)}"></option>' for level in column.levels[:200])
    return f'{head}<input {attributes} list="{key}-levels"><datalist id="{key}-levels">{choices}</datalist></div>'


def _static(name: str) -> str:
    return files("mantic.serve").joinpath("static", name).read_text("utf-8")


_TYPE: Mapping[Kind, str] = {Kind.NUMBER: "number"}
