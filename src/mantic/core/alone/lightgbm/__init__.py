"""LightGBM beside the user's own copy: it knows nothing of scikit-learn, pandas, Arrow, Dask or plots.

Its files are those of the installed package; only `compat`, in which it looks for these libraries, is ours. So it loads
in a tenth of the time, and `import lightgbm` still gives the user everything.
"""

from importlib import import_module, util

_found = util.find_spec("lightgbm")
if _found is None or _found.submodule_search_locations is None:
    raise ModuleNotFoundError("No module named 'lightgbm'", name="lightgbm")
__path__ = [*__path__, *_found.submodule_search_locations]

basic = import_module(".basic", __name__)
callback = import_module(".callback", __name__)
engine = import_module(".engine", __name__)
Booster, Dataset, train = basic.Booster, basic.Dataset, engine.train
