"""The design tokens: every colour of a page or chart by its role, in a light and a dark value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """One role of colour. Charts are drawn in the light values, which the page's CSS variables then replace."""

    name: str
    light: str
    dark: str

    @property
    def css(self) -> str:
        """Return the colour as CSS: the page's variable, or the light value where there is no page."""
        return f"var(--{self.name}, {self.light})"


# Text keeps a contrast of 4.5:1 on `page` and `surface`, marks keep 3:1; a test measures it.
# No two light values are equal: in a drawing the value says which token is meant.
TOKENS = (
    Token("ink", "#1d2126", "#e7eaee"),
    Token("muted", "#5a626c", "#a0a9b4"),
    Token("accent", "#20639b", "#74b3ea"),
    Token("second", "#b2541a", "#eda469"),
    Token("third", "#6a54a3", "#b7a5ee"),
    Token("fourth", "#2f7a5b", "#78c9a3"),
    Token("grid", "#e2e5e9", "#30363e"),
    Token("reference", "#868e98", "#77818d"),
    Token("page", "#fafaf9", "#131518"),
    Token("surface", "#ffffff", "#1a1d22"),
    Token("stop", "#b3261e", "#ff9489"),
    Token("warning", "#855300", "#f0bf4c"),
)
LIGHT = {token.name: token.light for token in TOKENS}
INK, MUTED, ACCENT, SECOND, GRID, REFERENCE, SURFACE = (
    LIGHT[name] for name in ("ink", "muted", "accent", "second", "grid", "reference", "surface")
)
SERIES = tuple(LIGHT[name] for name in ("accent", "second", "third", "fourth"))


def declarations() -> str:
    """Return the tokens as CSS declarations that follow the reader's light or dark scheme."""
    return "".join(f"--{token.name}:light-dark({token.light},{token.dark});" for token in TOKENS)
