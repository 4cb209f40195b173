"""The registry against a dictionary: whatever is done to both, they agree, on either database."""

import json
import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mantic.core import artifact
from mantic.core.errors import StoreError
from mantic.store.restore import restore
from mantic.store.store import open_store

NAMES = st.sampled_from(["churn", "rent"])
ALIASES = st.sampled_from(["champion", "challenger", "blue"])
NUMBERS = st.integers(1, 6)


class Registry(RuleBasedStateMachine):
    """Does the same to a store and to dictionaries."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mantic-machine-"))
        self.url, self.blobs = type(self).fresh(self.folder)
        self.store = open_store(self.url, blobs=self.blobs)
        self.files = [self._file(mark) for mark in range(3)]
        self.versions: dict[str, list[bytes | None]] = {}  # by name; None where one was deleted
        self.standing: dict[tuple[str, str], list[int]] = {}  # where an alias stood, the last is where it stands
        self.n_backups = 0

    def _file(self, mark: int) -> Path:
        parts = self.folder / f"parts{mark}"
        parts.mkdir()
        (parts / "weights.json").write_text(json.dumps(mark))
        return artifact.write(self.folder / f"{mark}.mantic", manifest={"task": "classify"}, folder=parts)

    def _alive(self, name: str, number: int) -> bool:
        found = self.versions.get(name, [])
        return number <= len(found) and found[number - 1] is not None

    @rule(name=NAMES, mark=st.integers(0, 2))
    def register(self, name: str, mark: int) -> None:
        kept = self.store.models.register(self.files[mark], name)

        self.versions.setdefault(name, []).append(self.files[mark].read_bytes())
        assert kept.number == len(self.versions[name])
        self.standing.setdefault((name, "champion"), []) or self.standing[name, "champion"].append(kept.number)

    @rule(name=NAMES, number=NUMBERS, alias=ALIASES)
    def promote(self, name: str, number: int, alias: str) -> None:
        if self._alive(name, number):
            self.store.models.promote(f"{name}/{number}", alias)
            self.standing.setdefault((name, alias), []).append(number)
        else:
            with pytest.raises(StoreError):
                self.store.models.promote(f"{name}/{number}", alias)

    @rule(name=NAMES, alias=ALIASES)
    def roll_back(self, name: str, alias: str) -> None:
        stack = self.standing.get((name, alias), [])
        left = list(stack)
        while left and (left[-1] == stack[-1] or not self._alive(name, left[-1])):
            left.pop()
        if left:
            assert self.store.models.rollback(name, alias).after == left[-1]
            self.standing[name, alias] = left
        else:
            with pytest.raises(StoreError):
                self.store.models.rollback(name, alias)

    @rule(name=NAMES, alias=ALIASES)
    def retire(self, name: str, alias: str) -> None:
        if self.standing.get((name, alias)):
            self.store.models.remove_alias(name, alias)
            self.standing[name, alias] = []
        else:
            with pytest.raises(StoreError):
                self.store.models.remove_alias(name, alias)

    @rule(name=NAMES, number=NUMBERS)
    def delete(self, name: str, number: int) -> None:
        held = any(stack[-1:] == [number] for (owner, _), stack in self.standing.items() if owner == name)
        if self._alive(name, number) and not held:
            self.store.models.delete(f"{name}/{number}")
            self.versions[name][number - 1] = None
        else:
            with pytest.raises(StoreError):
                self.store.models.delete(f"{name}/{number}")

    @rule()
    def sweep(self) -> None:
        self.store.sweep(grace=0.0)

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = open_store(self.url, blobs=self.blobs)

    @rule()
    def move_by_backup(self) -> None:
        self.n_backups += 1
        made = self.store.back_up(self.folder / f"{self.n_backups}.backup")
        self.store.close()
        self.url, self.blobs = type(self).fresh(self.folder / f"again{self.n_backups}")
        restore(made.path, self.url, blobs=self.blobs)
        self.store = open_store(self.url, blobs=self.blobs)

    @invariant()
    def agree(self) -> None:
        alive = {
            (name, number): content
            for name, found in self.versions.items()
            for number, content in enumerate(found, start=1)
            if content is not None
        }
        assert {(one.name, one.number) for one in self.store.models.list()} == set(alive)
        for (name, number), content in alive.items():
            with self.store.models.file(f"{name}/{number}") as file:
                assert file.read_bytes() == content
        standing = {key: stack[-1] for key, stack in self.standing.items() if stack}
        found = self.store.models.aliases()
        assert {(name, alias): at for name, each in found.items() for alias, at in each.items()} == standing

    def teardown(self) -> None:
        assert self.store.verify().faults == ()
        self.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_registry_does_what_a_dictionary_does(database, request):
    count = iter(range(1_000_000))
    server = request.getfixturevalue("postgresql") if database == "postgresql" else None

    class Machine(Registry):
        @staticmethod
        def fresh(folder: Path) -> tuple[str, str]:
            if server is None:
                return str(folder / "store"), ""
            return f"{server.url}?schema=machine{next(count)}", str(folder / "blobs")

    run_state_machine_as_test(Machine, settings=settings(max_examples=12, stateful_step_count=25))
