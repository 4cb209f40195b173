"""Texts are cut and weighted as scikit-learn does it, without it."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from mantic.features.text import Grams, _main_directions

RNG = np.random.default_rng(0)
WORDS = ["a", "tea", "Tea", "strong,", "it's", "naïve", "", "x9", "cats\tand", "über-cool", "日本語", "!!!"]
TEXTS = [" ".join(RNG.choice(WORDS, size=RNG.integers(0, 9))) for _ in range(80)]


@pytest.mark.parametrize(("kind", "analyser", "span"), [("words", "word", (1, 2)), ("letters", "char_wb", (3, 5))])
@pytest.mark.parametrize("most", [20, 20_000])
def test_terms_and_weights_are_those_of_scikit_learn(kind, analyser, span, most):
    usual = TfidfVectorizer(analyzer=analyser, ngram_range=span, min_df=2, max_features=most, sublinear_tf=True)
    expected = usual.fit_transform(TEXTS)

    grams = Grams.learn(kind, TEXTS, most)

    assert list(grams.terms) == list(usual.get_feature_names_out())
    np.testing.assert_allclose(grams.encode(TEXTS).toarray(), expected.toarray(), atol=1e-12)
    assert grams.encode(TEXTS).has_sorted_indices


def test_texts_without_a_word_have_no_terms():
    assert Grams.learn("words", ["", "! ?"], 10).terms == ()
    assert Grams.learn("words", [], 10).encode(["tea"]).shape == (1, 0)


def test_main_directions_keep_as_much_as_those_of_scikit_learn():
    found = sparse.random(300, 120, density=0.1, format="csr", random_state=0)
    expected = TruncatedSVD(8, n_iter=4, random_state=0).fit(found).components_.T

    directions = _main_directions(found, 8, 0)

    np.testing.assert_allclose(directions.T @ directions, np.eye(8), atol=1e-5)
    assert np.linalg.norm(found @ directions) >= 0.999 * np.linalg.norm(found @ expected)
