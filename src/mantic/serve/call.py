"""One call of a model, written for those who will make it: curl, Python, JavaScript, Excel."""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

_WIDTH = 100  # of a line; a longer row goes over several


def calls(address: str, row: Mapping[str, Any], *, key: str) -> dict[str, str]:
    """Return the call in each language, by its name. Whatever the columns are called, it is data there and never code.

    Parameters
    ----------
    address : of the prediction.
    row : plain JSON values by column.
    key : what the caller shows; or a word that stands for it.

    >>> calls("http://127.0.0.1:8770/v1/models/churn/predict", {"age": 41}, key="KEY")["Python"].splitlines()[0]
    'import json, urllib.request'
    """
    return {language: write(address, row, key) for language, write in _LANGUAGES.items()}


def _curl(address: str, row: Mapping[str, Any], key: str) -> str:
    headers = ["-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {key}"]
    words = [shlex.quote(one) for one in (*headers, "-d", _json({"rows": [row]}))]
    parts = (f"curl -X POST {shlex.quote(address)}", *(" ".join(words[at : at + 2]) for at in (0, 2, 4)))
    return " \\\n  ".join(parts)


def _python(address: str, row: Mapping[str, Any], key: str) -> str:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    return "\n".join(
        (
            "import json, urllib.request",
            "",
            f"row = {_literal(row)}",
            f"headers = {headers!r}",
            f"request = urllib.request.Request({address!r}, json.dumps({{'rows': [row]}}).encode(), headers)",
            "print(json.load(urllib.request.urlopen(request))['predictions'][0])",
        )
    )


def _javascript(address: str, row: Mapping[str, Any], key: str) -> str:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    return "\n".join(
        (
            f"const answer = await fetch({_json(address)}, {{",
            '  method: "POST",',
            f"  headers: {_json(headers)},",
            f"  body: JSON.stringify({{ rows: [{_json(row)}] }}),",
            "});",
            "console.log((await answer.json()).predictions[0]);",
        )
    )


def _excel(address: str, row: Mapping[str, Any], key: str) -> str:
    headers = f'[#"Content-Type" = "application/json", Authorization = {_m(f"Bearer {key}")}]'
    return "\n".join(
        (
            "let",
            f"  body = Text.ToBinary({_m(_json({'rows': [row]}))}),",
            f"  answer = Json.Document(Web.Contents({_m(address)}, [Headers = {headers}, Content = body]))",
            "in",
            "  Table.FromRecords(answer[predictions])",
        )
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(row: Mapping[str, Any]) -> str:
    """Return a row as Python writes it, over several lines where it is long."""
    pairs = [f"{name!r}: {value!r}" for name, value in row.items()]
    flat = f"{{{', '.join(pairs)}}}"
    return flat if len(flat) < _WIDTH else "{\n" + "".join(f"    {one},\n" for one in pairs) + "}"


def _m(text: str) -> str:
    """Return a text of Power Query: quotes are doubled, and what would begin an escape is one."""
    return '"' + text.replace("#(", "#(#)(").replace('"', '""') + '"'


_LANGUAGES: Mapping[str, Callable[[str, Mapping[str, Any], str], str]] = {
    "curl": _curl,
    "Python": _python,
    "JavaScript": _javascript,
    "Excel": _excel,
}
