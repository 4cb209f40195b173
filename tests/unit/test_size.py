"""The limits of size and shape: the tail tells good from bad, not the median."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src" / "mantic").rglob("*.py"))
CODE = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "bench").rglob("*.py"))]

FILE_LINES, FUNCTION_LINES, CLASS_LINES, PUBLIC_METHODS, ARGUMENTS = 600, 80, 300, 15, 6
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "tools"}

# "file:name" -> the page under docs/decisions that says why this one may be larger.
EXCEPTIONS: dict[str, str] = {
    "src/mantic/tasks/forecast.py:fit": "0032-outbreaks-from-what-was-known.md",
}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _nodes(path: Path, kinds: tuple[type[ast.AST], ...]) -> Iterator[ast.AST]:
    yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds))


def _too_large(path: Path) -> Iterator[tuple[str, str]]:
    n_lines = len(path.read_text().splitlines())
    if n_lines > FILE_LINES:
        yield _name(path), f"{n_lines} lines (limit {FILE_LINES})"
    for node in _nodes(path, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        where, length = f"{_name(path)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1
        limit = CLASS_LINES if isinstance(node, ast.ClassDef) else FUNCTION_LINES
        if length > limit:
            yield where, f"{length} lines (limit {limit})"
        if isinstance(node, ast.ClassDef):
            methods = [
                part for part in node.body if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")
            ]
            if len(methods) > PUBLIC_METHODS:
                yield where, f"{len(methods)} public methods (limit {PUBLIC_METHODS})"


def _wide_signatures(path: Path) -> Iterator[tuple[str, str]]:
    for node in _nodes(path, (ast.FunctionDef, ast.AsyncFunctionDef)):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        where = f"{_name(path)}:{node.name}"
        positional = [one.arg for one in (*node.args.posonlyargs, *node.args.args) if one.arg not in ("self", "cls")]
        every = positional + [one.arg for one in node.args.kwonlyargs]
        if len(every) > ARGUMENTS:
            yield where, f"{len(every)} arguments (limit {ARGUMENTS})"
        if _is_boolean_switch(node):
            yield where, "an argument with the default True or False: make it two functions"


def _is_boolean_switch(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    return any(isinstance(one, ast.Constant) and isinstance(one.value, bool) for one in defaults)


@pytest.mark.parametrize("path", CODE, ids=_name)
def test_no_file_function_or_class_is_too_large(path):
    faults = [f"{where}: {what}" for where, what in _too_large(path) if where not in EXCEPTIONS]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_signature_is_too_wide(path):
    faults = [f"{where}: {what}" for where, what in _wide_signatures(path) if where not in EXCEPTIONS]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_every_module_is_named_for_what_it_is(path):
    assert path.stem not in VAGUE
    assert path.parent.name not in VAGUE


def test_every_exception_is_needed_and_has_its_page():
    over = {where for path in CODE for where, _ in (*_too_large(path), *_wide_signatures(path))}

    assert set(EXCEPTIONS) <= over
    assert all((ROOT / "docs" / "decisions" / page).is_file() for page in EXCEPTIONS.values())
