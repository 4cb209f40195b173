"""One request: who asks, what for, and the ways to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mantic.core.errors import ManticError
from mantic.report.numbers import amount, say
from mantic.studio.role import Role
from mantic.studio.studio import Studio
from mantic.studio.visitors import Visitor
from mantic.studio.words import ago, browser, clock, size, until

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request
    from starlette.responses import Response

THEME_COOKIE = "mantic_theme"
THEMES = ("light", "dark")  # or neither: what the system says


@dataclass(frozen=True)
class View:
    """What a page's handler gets.

    Parameters
    ----------
    request : as Starlette has it.
    visitor : who asks; None on pages that need no sign-in.
    fields : of the form that was sent: name to the values given under it.
    """

    request: "Request"
    studio: Studio
    visitor: Visitor | None
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def path(self) -> Mapping[str, str]:
        """Return the parts of the address that vary."""
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        """Return what stands after the question mark."""
        return self.request.query_params

    @property
    def is_part(self) -> bool:
        """Whether htmx asks, which puts the answer into a page that is there already."""
        return self.request.headers.get("HX-Request") == "true"

    @property
    def person(self) -> str:
        """Return the name of who asks, as it stands in the audit."""
        return "" if self.visitor is None else self.visitor.name

    @property
    def address(self) -> str:
        """Return from where somebody asks."""
        return self.request.client.host if self.request.client else ""

    @property
    def agent(self) -> str:
        """Return what the browser calls itself."""
        return self.request.headers.get("User-Agent", "")

    @property
    def base(self) -> str:
        """Return what the address of every page begins with, for links that are given to others."""
        url = self.request.url
        return self.studio.settings.studio.url.rstrip("/") or f"{url.scheme}://{url.netloc}"

    @property
    def is_safe(self) -> bool:
        """Whether what is said goes encrypted, at least to the proxy in front."""
        return self.base.startswith("https://")

    def number(self, name: str = "number") -> int:
        """Return a part of the address that is a number; what is none leads nowhere.

        Raises
        ------
        NoPageError : if it is none.
        """
        text = self.path[name]
        if not text.isdecimal() or len(text) > 9:
            raise NoPageError("there is no such page", where=self.request.url.path[:200], fix="go back to the models")
        return int(text)

    def said(self, name: str, default: str = "") -> str:
        """Return what a form says under a name; the first, where there are several."""
        return self.exact(name, default).strip()

    def exact(self, name: str, default: str = "") -> str:
        """Return it with the spaces at its ends: names of columns and classes may have some."""
        return self.fields.get(name, (default,))[0]

    def page(self, template: str, *, status: int = 200, **facts: Any) -> "Response":
        """Return a whole page."""
        from starlette.responses import HTMLResponse

        return HTMLResponse(self._render(template, facts), status)

    def part(self, template: str, *, status: int = 200, **facts: Any) -> "Response":
        """Return a piece of a page, for htmx."""
        return self.page(template, status=status, **facts)

    def go(self, address: str) -> "Response":
        """Lead on to another page."""
        from starlette.responses import RedirectResponse, Response

        if self.is_part:
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)

    def fault(self, error: ManticError) -> "Response":
        """Show an error: what happened, where, and what to do."""
        template = "_fault.html" if self.is_part else "fault.html"
        return self.page(template, status=error.status, error=error)

    def _render(self, template: str, facts: Mapping[str, Any]) -> str:
        visitor = self.visitor
        about = {
            "visitor": visitor,
            "csrf": visitor.token if visitor else "",
            "may": lambda word: visitor is not None and visitor.role >= Role.of(word),
            "here": self.request.url.path,
            "theme": theme if (theme := self.request.cookies.get(THEME_COOKIE)) in THEMES else "",
        }
        return _environment().get_template(template).render({**about, **facts})


class NoPageError(ManticError, LookupError):
    """There is no such page."""

    status = 404


class DeniedError(ManticError, PermissionError):
    """Who asks may not do this."""

    status = 403


class TooLargeError(ManticError, ValueError):
    """More was sent than is taken."""

    status = 413


def asset(name: str) -> str:
    """Return the address of a file under `static`, with what lets a browser keep it for good."""
    return f"/static/{name}?v={fingerprint(name)}"


@cache
def fingerprint(name: str) -> str:
    """Return the beginning of the hash of a file under `static`."""
    return sha256(static_bytes(name)).hexdigest()[:12]


@cache
def static_bytes(name: str) -> bytes:
    """Return a file under `static`.

    Raises
    ------
    NoPageError : if there is none.
    """
    from mantic.report.html import stylesheet
    from mantic.report.tokens import declarations

    if name == "report.css":
        return stylesheet().encode()
    where = files("mantic.studio").joinpath("static")
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts) or not where.joinpath(*parts).is_file():
        raise NoPageError("there is no such file", where=name[:200], fix="reload the page")
    found = where.joinpath(*parts).read_bytes()
    return found.replace(b"/* TOKENS */", declarations().encode()) if name.endswith(".css") else found


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from mantic.evaluate.blocks_score import metric_name

    made = Environment(
        loader=PackageLoader("mantic.studio"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=StrictUndefined,
    )  # fmt: skip
    made.globals["asset"] = asset
    made.filters |= {"metric": metric_name, "begin": lambda text: text[:1].upper() + text[1:]}
    made.filters |= {"say": say, "ago": ago, "until": until, "clock": clock, "browser": browser}
    made.filters |= {"amount": amount, "size": size, "url": lambda text: quote(str(text), "")}
    return made
