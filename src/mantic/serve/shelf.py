"""The models of a server: each name has a live version, and may have one on trial and one in the shadow."""

import hashlib
import json
import math
import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from mantic.core.errors import ManticError, SettingsError
from mantic.serve.example import example_row
from mantic.serve.problem import UnavailableError, UnknownModelError
from mantic.serve.question import Limits, Question, question_of
from mantic.serve.served import Estimator, Served, to_bytes

_TOLERANCE = 1e-6
_LIMITS = Limits()


class GoldenError(ManticError):
    """A model does not give the answers that are known to be right."""

    status = 409


@dataclass(frozen=True)
class Golden:
    """A row, and the `prediction` object that a model must answer; what it has beyond these fields is not compared.

    >>> Golden({"age": 41}, {"prediction": "yes", "probability": {"no": 0.31, "yes": 0.69}}).answer["prediction"]
    'yes'
    """

    row: Mapping[str, Any]
    answer: Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """What stands under one name.

    Parameters
    ----------
    live : answers, unless the caller's key falls into the share of the trial.
    trial : answers that share of callers: the canary.
    share : 0 to 1.
    shadow : is asked too, after the caller has the answer; what it says is compared and counted.
    """

    live: Served
    trial: Served | None = None
    share: float = 0.0
    shadow: Served | None = None


class Shelf:
    """Names and the models that answer for them. A change is one assignment: a request sees all of it or nothing.

    Parameters
    ----------
    models : name (as it stands in the address) to fitted Classifier or Regressor.

    Attributes
    ----------
    faults : why a name that should answer does not, or not as it should, by the name.
    is_opening : models are still being brought; who asks for one that is not there yet is told to come again.

    Raises
    ------
    SettingsError : if there is no model, or a name that no address can hold.
    """

    def __init__(self, models: Mapping[str, Estimator]) -> None:
        bad = [name for name in models if not name or "/" in name or name in (".", "..")]
        if bad or not models:
            what = f"'{bad[0]}' is no name for a model" if bad else "there is no model to serve"
            raise SettingsError(what, where="serve", fix="give each model a name without '/'")
        self._fill({name: Place(Served(name, model)) for name, model in models.items()})

    @classmethod
    def opening(cls) -> Self:
        """Return an empty shelf, to which models are brought."""
        made = cls.__new__(cls)
        made._fill({})
        made.is_opening = True
        return made

    def _fill(self, places: Mapping[str, Place]) -> None:
        self._places = dict(places)
        self.faults: Mapping[str, ManticError] = {}
        self._writing = threading.Lock()
        self.is_opening = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names in their order."""
        return tuple(self._places)

    @property
    def live(self) -> list[Served]:
        """Return the live version of each name."""
        return [place.live for place in self._places.values()]

    def find(self, name: str) -> Place | None:
        """Return what stands under a name, if anything does."""
        return self._places.get(name)

    def place(self, name: str, *, where: str = "the shelf") -> Place:
        """Return what stands under a name.

        Raises
        ------
        UnknownModelError : if nothing does; says what is known.
        UnavailableError : if something should, and cannot be asked.
        """
        found = self._places.get(name)
        if found is None:
            raise self._absent(name, where)
        return found

    def _absent(self, name: str, where: str) -> ManticError:
        fault = self.faults.get(name)
        if fault is not None:
            what = f"'{name[:80]}' cannot be asked: {fault.what}"
            return UnavailableError(what, where=fault.where or where[:200], fix=fault.fix)
        if self.is_opening:
            return UnavailableError("the models are being loaded", where=where[:200], fix="ask again in a few seconds")
        known = ", ".join(self._places) or "none"
        return UnknownModelError(f"there is no model '{name[:80]}'", where=where[:200], fix=f"known are: {known}")

    def choose(self, name: str, key: bytes | None, *, where: str = "the shelf") -> tuple[Served, Served | None]:
        """Return who answers a caller, and who is in the shadow; the same key always gets the same version.

        Parameters
        ----------
        key : what names the caller; without it each request is drawn by itself.
        """
        place = self.place(name, where=where)
        if place.trial is None:
            return place.live, place.shadow
        drawn = random.random() if key is None else share_of(key, salt=name)
        return (place.trial if drawn < place.share else place.live), place.shadow

    def warm(self) -> None:
        """Ask every model once, so that the first caller does not wait and a broken model stops the start."""
        for place in self._places.values():
            for model in (place.live, place.trial, place.shadow):
                if model is not None:
                    _warm(model)

    def put(self, name: str, model: Estimator, *, golden: Sequence[Golden] = ()) -> None:
        """Let a version answer for a name, new or in place of another, from the next request on.

        What is being answered is finished. The newcomer is warmed and asked the golden rows first. Trial and shadow
        end. May be called from any thread.

        Raises
        ------
        GoldenError : if an answer differs by more than 1e-6; then nothing is changed.
        """
        self._set(name, Place(_ready(name, model, golden)))

    def switch(self, name: str, model: Estimator, *, golden: Sequence[Golden] = ()) -> None:
        """Put another version under a name that is there.

        Raises
        ------
        GoldenError : as `put`. UnknownModelError : if there is no such name.
        """
        self.place(name)
        self.put(name, model, golden=golden)

    def remove(self, name: str) -> None:
        """Let nothing answer for a name; what is being answered is finished."""
        with self._writing:
            self._places = {one: place for one, place in self._places.items() if one != name}
            self.faults = {one: fault for one, fault in self.faults.items() if one != name}

    def fail(self, name: str, fault: ManticError) -> None:
        """Tell those who ask for a name why nothing answers; what does answer goes on."""
        with self._writing:
            self.faults = {**self.faults, name: fault}

    def try_out(self, name: str, model: Estimator, *, share: float, golden: Sequence[Golden] = ()) -> None:
        """Let another version answer a share of the callers (0 to 1), by the hash of their key, or by chance."""
        _check_share(share)
        self._change(name, trial=_ready(name, model, golden), share=share)

    def share(self, name: str, share: float) -> None:
        """Let the version on trial answer another share of the callers; 0 ends the trial."""
        _check_share(share)
        self._change(name, share=share, **({} if share else {"trial": None}))

    def shadow(self, name: str, model: Estimator) -> None:
        """Ask another version too, after the caller has the answer, and count how often it agrees."""
        self._change(name, shadow=_ready(name, model, ()))

    def _set(self, name: str, place: Place) -> None:
        with self._writing:
            self._places = {**self._places, name: place}
            self.faults = {one: fault for one, fault in self.faults.items() if one != name}

    def _change(self, name: str, **changes: Any) -> None:
        with self._writing:
            self._places = {**self._places, name: replace(self.place(name), **changes)}
            self.faults = {one: fault for one, fault in self.faults.items() if one != name}

    def versions(self) -> dict[tuple[tuple[str, str], ...], float]:
        """Return 1 for each version that can be asked, by model, version and part."""
        return {
            (("model", name), ("version", model.model.version_), ("part", part)): 1.0
            for name, place in self._places.items()
            for part, model in (("live", place.live), ("trial", place.trial), ("shadow", place.shadow))
            if model is not None
        }


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise SettingsError(f"a share cannot be {share}", where="try_out", fix="give one from 0 to 1")


def share_of(key: bytes, *, salt: str) -> float:
    """Return where a key lies, from 0 to 1; another salt puts it elsewhere.

    >>> 0 <= share_of(b"customer 7", salt="churn") < 1
    True
    """
    salted = salt.encode("utf-8", "replace") + b"\0" + key
    return int.from_bytes(hashlib.blake2b(salted, digest_size=6).digest()) / 2**48  # exact: below 1 by all means


def is_alike(one: Any, other: Any) -> bool:
    """Return whether an answer is the one wanted, numbers to 1e-6; fields that are not asked for may be there.

    >>> is_alike({"a": 1.0}, {"a": 1.0000000001, "b": 2}), is_alike([1], [2])
    (True, False)
    """
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and all(key in other and is_alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return isinstance(other, list | tuple) and len(one) == len(other) and all(map(is_alike, one, other))
    if isinstance(one, float | int) and isinstance(other, float | int) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE) or one != one != other
    return bool(one == other)


def _ready(name: str, model: Estimator, golden: Iterable[Golden]) -> Served:
    """Return a newcomer that is warm and gives the answers that are known."""
    served = Served(name, model)
    _warm(served)
    faults = []
    for number, one in enumerate(golden):
        question = question_of([dict(one.row)], served.schema, _LIMITS, plan=served.plan)
        answer = json.loads(served.reply(served.predictions(question), ()))["predictions"][0]
        if not is_alike(one.answer, answer):
            faults.append(f"row {number} gives {json.dumps(answer)[:200]} instead of {json.dumps(one.answer)[:200]}")
    if faults:
        raise GoldenError(
            "; ".join(faults[:5]),
            where=f"version {model.version_} of '{name}'",
            fix="keep the old version, or renew the golden rows if the new answers are right",
        )
    return served


def _warm(served: Served) -> None:
    """Ask once in each way, and let it measure what a row costs now and not when somebody waits."""
    row = dict.fromkeys(served.schema.names) | example_row(served.schema)
    served.predictions(Question(served.schema.align([row])))
    served.predictions(served.read(to_bytes({"rows": [row]}), _LIMITS))
    _ = served.row_seconds
