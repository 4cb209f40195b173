"""Every page does what it says: its Python runs, and so do the commands and files that it marks.

A page's blocks run from top to bottom in one namespace and one folder, which holds `churn.csv`, `new.csv`, `rent.csv`,
`sales.csv` (two stores in 2023), `later.csv` (the four weeks after it), `cases.csv` (two places, 80 weeks, told in two
parts) and `cases_later.csv` (the four weeks after it).
An HTML comment before a block says what else to do: `test: run` runs its commands, `test: file NAME` writes it, and
`test: skip` leaves it. Budgets are shortened: pages show what a user would write.
"""

import math
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(
    r"(?:<!-- test: (?P<order>[^\n]*?) -->\n+)?^```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```", re.DOTALL | re.MULTILINE
)
_BUDGET = re.compile(r"""(budget=["'])\d+\s*(?:[smh]|trials?)(?=["'])""")
_COMMAND_BUDGET = re.compile(r"(--budget[ =])\d+[smh]\b")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    code: str
    order: str
    line: int

    @property
    def is_run(self) -> bool:
        """Whether the test does something with it."""
        return self.order != "skip" and (self.language == "python" or bool(self.order))


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, top to bottom."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found["language"], found["code"], found["order"] or "", text[: found.start("code")].count("\n") + 1)
        for found in _BLOCK.finditer(text)
    ]


def _pages() -> list[Path]:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in pages if any(block.is_run for block in blocks(page))]


@pytest.fixture
def user_folder(tmp_path, monkeypatch, churn_like, churn_like_new, rent_like):
    churn_like.head(250).write_csv(tmp_path / "churn.csv")
    churn_like_new.drop("churned").write_csv(tmp_path / "new.csv")
    rent_like.head(250).write_csv(tmp_path / "rent.csv")
    days = pl.date_range(date(2023, 1, 2), date(2024, 1, 28), eager=True)
    sold = {
        store: [size + 9 * (day.weekday() > 4) + day.day % 5 for day in days] for store, size in (("A", 20), ("B", 40))
    }
    sales = pl.concat(
        pl.DataFrame({"date": days, "store": store, "sold": values, "price": [1.5 + day.day % 2 for day in days]})
        for store, values in sold.items()
    )
    sales.filter(pl.col("date") < date(2024, 1, 1)).write_csv(tmp_path / "sales.csv")
    sales.filter(pl.col("date") >= date(2024, 1, 1)).write_csv(tmp_path / "later.csv")
    weeks = pl.date_range(date(2022, 10, 1), date(2024, 5, 4), interval="1w", eager=True)  # 84
    told = [
        (place, week, weeks[at + late], round(share * size * (1.3 + math.sin(at / 8))))
        for place, size in (("North", 40), ("South", 90)) for at, week in enumerate(weeks)
        for late, share in enumerate((0.8, 1.0)) if at + late < len(weeks)
    ]  # fmt: skip
    cases = pl.DataFrame(told, schema=["place", "date", "as_of", "admissions"], orient="row")
    cases.filter(pl.col("as_of") <= weeks[79]).write_csv(tmp_path / "cases.csv")
    cases.filter(pl.col("as_of") > weeks[79]).write_csv(tmp_path / "cases_later.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page, user_folder):
    names = {"__name__": "__docs__"}

    for block in blocks(page):
        if block.order.startswith("file "):
            (user_folder / block.order.removeprefix("file ")).write_text(block.code, encoding="utf-8")
        elif block.order == "run":
            _run_commands(block.code, where=f"{page.name}, line {block.line}")
        elif block.is_run:
            code = "\n" * block.line + _BUDGET.sub(r"\g<1>1 trial", block.code)
            exec(compile(code, str(page), "exec"), names)


def _run_commands(code: str, *, where: str) -> None:
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    for line in code.replace("\\\n", " ").splitlines():
        if line.strip():
            done = subprocess.run(
                _COMMAND_BUDGET.sub(r"\g<1>3s", line),
                shell=True,
                capture_output=True,
                text=True,
                check=False,
                env=os.environ | {"PATH": os.pathsep.join(places)},
            )
            assert done.returncode == 0, f"{where}: {line}\n{done.stdout}\n{done.stderr}"


def test_every_link_between_pages_leads_somewhere():
    link = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")

    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in link.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert not dead, "\n".join(dead)


def test_the_measured_table_in_the_readme_is_what_the_results_say():
    done = subprocess.run([sys.executable, str(ROOT / "bench" / "table.py"), "--check"], check=False)

    assert done.returncode == 0, "run `make bench-table`"
