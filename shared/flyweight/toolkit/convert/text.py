"""Convert vectorizers and hashers of texts and dictionaries, and the weights of terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops import MAX_WIDTH
from flyweight.ops._words import MAX_NGRAM, pattern_steps
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value

SEPARATORS = "\n\0\x1e\x1f\x1d\x1c\x01\x02\x03\ue000\ue001"


@converts("sklearn.CountVectorizer")
def count(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a column a term of the vocabulary.

    :raises ConversionRefused: it uses code, an unsafe pattern, or a vocabulary that a plan can't hold.
    """
    return {"transform": _counts(estimator, x, draft)}


@converts("sklearn.TfidfVectorizer")
def tfidf_vectorizer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to weighted counts.

    :raises ConversionRefused: it uses code, an unsafe pattern, or a vocabulary that a plan can't hold.
    """
    _expect_double(estimator, draft)
    return {"transform": _weighted(estimator, _counts(estimator, x, draft), draft)}


@converts("sklearn.TfidfTransformer")
def tfidf(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to counts times `idf_`, over their norm; zeros stay zeros.

    :raises ConversionRefused: it was fitted on float32.
    """
    if estimator.use_idf:
        draft.expect_double(estimator, estimator.idf_)
    entries = x if x.sparse else draft.add("sparse.gather", x, columns=x.columns)
    return {"transform": _weighted(estimator, entries, draft)}


@converts("sklearn.HashingVectorizer")
def hashing(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a column by a term's hash, over the norm.

    :raises ConversionRefused: it uses code or an unsafe pattern, or has too many features.
    """
    _expect_double(estimator, draft)
    parameters, arrays = _analysis(estimator, x, draft)
    width = _hashed_width(estimator, draft)
    _note(x, draft, ["the", "and", "not", "good", "was"])
    parameters |= {"width": width, "signs": bool(estimator.alternate_sign), "binary": bool(estimator.binary)}
    counts = draft.add("text.hash", x, columns=[Column("terms")] * width, arrays=arrays, **parameters)
    return {"transform": _normalized(estimator, counts, draft)}


@converts("sklearn.DictVectorizer")
def dictionary(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a column a key, or a key with its string.

    :raises ConversionRefused: its dtype is not float64, or its keys are not strings.
    """
    _expect_double(estimator, draft)
    if not all(isinstance(name, str) for name in estimator.feature_names_):
        raise ConversionRefused(draft.path, "DictVectorizer", "its keys are not strings, as names of features are; make them so")
    arrays = {"terms": packed(estimator.feature_names_, draft, "DictVectorizer")}
    for position, name in enumerate(x.names):
        start = name + estimator.separator
        known = [term[len(start) :] for term in estimator.feature_names_ if term.startswith(start)]
        if known:
            draft.note_categories(x, position, known)
    width = len(estimator.feature_names_)
    parameters: dict[str, Any] = {"names": x.names, "separator": [estimator.separator]}
    entries = draft.add("text.pick", x, columns=[Column("keys")] * width, arrays=arrays, **parameters)
    return {"transform": entries if estimator.sparse else draft.spread(entries)}


@converts("sklearn.FeatureHasher")
def feature_hasher(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a column by the hash of a key, or of a key with its string.

    :raises ConversionRefused: its dtype is not float64, it reads lists of words, or it has too many features.
    """
    _expect_double(estimator, draft)
    if estimator.input_type == "string":
        helps = "an instance of input_type='string' is a list of words of any length; use HashingVectorizer on the joined text"
        raise ConversionRefused(draft.path, "FeatureHasher", helps)
    width = _hashed_width(estimator, draft)
    parameters: dict[str, Any] = {"names": x.names, "width": width, "signs": bool(estimator.alternate_sign)}
    return {"transform": draft.add("text.hash_pick", x, columns=[Column("keys")] * width, **parameters)}


def _counts(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the counts of the vocabulary's terms.

    :raises ConversionRefused: it uses code, an unsafe pattern, or a vocabulary that a plan can't hold.
    """
    cls = type(estimator).__name__
    if np.dtype(estimator.dtype).kind == "f":
        _expect_double(estimator, draft)
    parameters, arrays = _analysis(estimator, x, draft)
    terms = sorted(estimator.vocabulary_, key=estimator.vocabulary_.__getitem__)
    if len(terms) > MAX_WIDTH:
        helps = f"it knows {len(terms):,} terms, a plan at most {MAX_WIDTH:,}; fit it with max_features"
        raise ConversionRefused(draft.path, cls, helps)
    if not all(isinstance(term, str) for term in terms):
        raise ConversionRefused(draft.path, cls, "its vocabulary holds more than strings")
    _note(x, draft, terms)
    arrays["terms"] = packed(terms, draft, cls)
    columns = [Column("terms")] * len(terms)
    return draft.add("text.count", x, columns=columns, arrays=arrays, **parameters, binary=bool(estimator.binary))


def _weighted(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add `TfidfTransformer.transform` of counts."""
    if estimator.sublinear_tf:
        x = draft.add("sparse.log", x, columns=x.columns, takes="any" if estimator.norm is None else "finite")
    if estimator.use_idf:
        x = draft.add("sparse.stretch", x, columns=x.columns, arrays={"multiply": np.asarray(estimator.idf_, dtype=float)})
    return _normalized(estimator, x, draft)


def _normalized(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the counts over their norm, if the estimator has a norm."""
    norm = estimator.norm
    return x if norm is None else draft.add("sparse.normalize", x, columns=x.columns, norm=norm)


def _analysis(estimator: Any, x: Value, draft: Draft) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and arrays of a text's analyzer.

    :raises ConversionRefused: a part of it is code, or its pattern is not safe to run.
    """
    cls = type(estimator).__name__
    for name in ("preprocessor", "tokenizer", "analyzer", "strip_accents"):
        if callable(getattr(estimator, name)):
            helps = f"its {name} is a function, and a model file holds no code; use the parameters, or apply it in the caller"
            raise ConversionRefused(draft.path, cls, helps)
    if estimator.input != "content" or len(x.columns) != 1:
        raise ConversionRefused(draft.path, cls, "it does not read one text an instance; use input='content' on one column")
    shortest, longest = estimator.ngram_range
    if longest > MAX_NGRAM:
        raise ConversionRefused(draft.path, cls, f"its ngram_range goes to {longest}, a plan's at most to {MAX_NGRAM}")
    parameters: dict[str, Any] = {"lowercase": bool(estimator.lowercase), "accents": estimator.strip_accents or "keep"}
    parameters |= {"ngrams": [int(shortest), int(longest)], "analyzer": estimator.analyzer, "names": x.names}
    if estimator.analyzer != "word":
        return parameters, {}
    try:
        pattern_steps(estimator.token_pattern)
    except ValueError as error:
        helps = (
            f"its token_pattern {estimator.token_pattern!r} {error}, so that some texts could take very long; "
            "write one that reads a text once, such as r'(?u)\\b\\w+\\b', r'[a-z]{3,}', r'\\S+' or r\"\\w+(?:'\\w+)*\""
        )
        raise ConversionRefused(draft.path, cls, helps) from None
    stops = estimator.get_stop_words()
    arrays = {"stops": packed(sorted(stops), draft, cls)} if stops else {}
    return {**parameters, "pattern": [estimator.token_pattern]}, arrays


def packed(terms: list[str], draft: Draft, cls: str) -> Any:
    """Return terms as bytes: UTF-8, with a first character that occurs in no term and separates them.

    :raises ConversionRefused: there is no such character, or a term holds half of a surrogate pair.
    """
    separator = next((mark for mark in SEPARATORS if not any(mark in term for term in terms)), None)
    if separator is None:
        raise ConversionRefused(draft.path, cls, "its terms hold every control character that could separate them")
    try:
        return np.frombuffer("".join(separator + term for term in terms).encode(), dtype=np.uint8)
    except UnicodeEncodeError:
        raise ConversionRefused(draft.path, cls, "a term holds half of a surrogate pair; drop it from the texts") from None


def _note(x: Value, draft: Draft, terms: list[str]) -> None:
    """Note some terms, so that rows made for parity hold them."""
    source = x.columns[0].source
    if source is not None:
        draft.texts.setdefault(source, []).extend(terms[:: 1 + len(terms) // 1000])


def _expect_double(estimator: Any, draft: Draft) -> None:
    """Check the estimator's dtype.

    :raises ConversionRefused: it is not float64.
    """
    if np.dtype(estimator.dtype) != np.float64:
        raise ConversionRefused(draft.path, type(estimator).__name__, "its dtype is not float64; fit it with dtype=float")


def _hashed_width(estimator: Any, draft: Draft) -> int:
    """Return the number of features.

    :raises ConversionRefused: it is more than a plan holds.
    """
    if estimator.n_features > MAX_WIDTH:
        helps = f"its n_features is above {MAX_WIDTH:,}, which is the most that a plan holds"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    return int(estimator.n_features)
