"""Turn docstrings, written in the short form of our guide, into Markdown for the reference pages."""

import re

import griffe

_ENTRY = re.compile(r"^(?P<names>[\w*][\w*, ]*) : (?P<text>.*)$")
_RULE = re.compile(r"^-{3,}$")


def as_markdown(text: str) -> str:
    """Return sections as bold heads, `name : text` as list items, examples as code.

    >>> print(as_markdown("Add.\\n\\nParameters\\n----------\\na : a number."))
    Add.
    <BLANKLINE>
    **Parameters**
    <BLANKLINE>
    - `a`: a number.
    """
    done: list[str] = []
    is_example = False
    for line in text.splitlines():
        is_prompt = line.startswith(">>>")
        if is_prompt and not is_example:
            done += ["```python"]
        elif is_example and not line.strip():
            done += ["```"]
        is_example = is_prompt or (is_example and bool(line.strip()))
        if _RULE.match(line) and done:
            done[-1:] = [f"**{done[-1]}**", ""]
        elif not is_example and (entry := _ENTRY.match(line)):
            names = ", ".join(f"`{name.strip()}`" for name in entry["names"].split(","))
            done.append(f"- {names}: {entry['text']}")
        else:
            done.append(line)
    return "\n".join([*done, "```"] if is_example else done)


class Markdown(griffe.Extension):
    """Rewrite every docstring that is read."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Rewrite one."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)
