"""Texts and dictionaries: vectorizers and hashers, and the weights of terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops import MAX_WIDTH
from flyweight.ops._words import MAX_NGRAM, is_safe
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value

SEPARATORS = "\n\0\x1e\x1f\x1d\x1c\x01\x02\x03\ue000\ue001"


@converts("sklearn.CountVectorizer")
def count(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """A column a term of the vocabulary."""
    return {"transform": _counts(estimator, x, draft)}


@converts("sklearn.TfidfVectorizer")
def tfidf_vectorizer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Counts, weighted."""
    _expect_double(estimator, draft)
    return {"transform": _weighted(estimator, _counts(estimator, x, draft), draft)}


@converts("sklearn.TfidfTransformer")
def tfidf(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Counts times `idf_`, over their norm; what is zero stays zero."""
    if estimator.use_idf and np.asarray(estimator.idf_).dtype != np.float64:
        raise ConversionRefused(draft.path, "TfidfTransformer", "it was fitted on float32; fit it on float64")
    entries = x if x.sparse else draft.add("sparse.gather", x, columns=x.columns)
    return {"transform": _weighted(estimator, entries, draft)}


@converts("sklearn.HashingVectorizer")
def hashing(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """A column by a term's hash, over the norm."""
    _expect_double(estimator, draft)
    parameters, arrays = _analysis(estimator, x, draft)
    width = _hashed_width(estimator, draft)
    _note(x, draft, ["the", "and", "not", "good", "was"])
    told: dict[str, Any] = {"width": width, "signs": bool(estimator.alternate_sign), "binary": bool(estimator.binary)}
    counts = draft.add("text.hash", x, columns=[Column("terms")] * width, arrays=arrays, **parameters, **told)
    return {"transform": _normalized(estimator, counts, draft)}


@converts("sklearn.DictVectorizer")
def dictionary(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """A column a key, or a key with its string."""
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
    told: dict[str, Any] = {"names": x.names, "separator": [estimator.separator]}
    found = draft.add("text.pick", x, columns=[Column("keys")] * width, arrays=arrays, **told)
    return {"transform": found if estimator.sparse else draft.spread(found)}


@converts("sklearn.FeatureHasher")
def feature_hasher(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """A column by the hash of a key, or of a key with its string."""
    _expect_double(estimator, draft)
    if estimator.input_type == "string":
        helps = "an instance of input_type='string' is a list of words of any length; use HashingVectorizer on the joined text"
        raise ConversionRefused(draft.path, "FeatureHasher", helps)
    width = _hashed_width(estimator, draft)
    told: dict[str, Any] = {"names": x.names, "width": width, "signs": bool(estimator.alternate_sign)}
    return {"transform": draft.add("text.hash_pick", x, columns=[Column("keys")] * width, **told)}


def _counts(estimator: Any, x: Value, draft: Draft) -> Value:
    cls = type(estimator).__name__
    if np.dtype(estimator.dtype).kind == "f":
        _expect_double(estimator, draft)
    parameters, arrays = _analysis(estimator, x, draft)
    terms = sorted(estimator.vocabulary_, key=estimator.vocabulary_.__getitem__)
    if len(terms) > MAX_WIDTH:
        helps = f"it knows {len(terms):,} terms, a plan at most {MAX_WIDTH:,}; fit it with max_features"
        raise ConversionRefused(draft.path, cls, helps)
    if not all(isinstance(term, str) for term in terms):
        raise ConversionRefused(draft.path, cls, "its vocabulary holds other than strings")
    _note(x, draft, terms)
    arrays["terms"] = packed(terms, draft, cls)
    columns = [Column("terms")] * len(terms)
    return draft.add("text.count", x, columns=columns, arrays=arrays, **parameters, binary=bool(estimator.binary))


def _weighted(estimator: Any, x: Value, draft: Draft) -> Value:
    """`TfidfTransformer.transform`."""
    if estimator.sublinear_tf:
        x = draft.add("sparse.log", x, columns=x.columns, takes="any" if estimator.norm is None else "finite")
    if estimator.use_idf:
        x = draft.add("sparse.stretch", x, columns=x.columns, arrays={"multiply": np.asarray(estimator.idf_, dtype=float)})
    return _normalized(estimator, x, draft)


def _normalized(estimator: Any, x: Value, draft: Draft) -> Value:
    norm = estimator.norm
    return x if norm is None else draft.add("sparse.normalize", x, columns=x.columns, norm=norm)


def _analysis(estimator: Any, x: Value, draft: Draft) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and arrays of what finds terms in a text.

    :raises ConversionRefused: some of it is code, or a pattern that could run away.
    """
    cls = type(estimator).__name__
    for name in ("preprocessor", "tokenizer", "analyzer", "strip_accents"):
        if callable(getattr(estimator, name)):
            helps = f"its {name} is a function, and a model file carries no code; use the parameters, or apply it in the caller"
            raise ConversionRefused(draft.path, cls, helps)
    if estimator.input != "content" or len(x.columns) != 1:
        raise ConversionRefused(draft.path, cls, "it reads other than one text an instance; use input='content' on one column")
    least, most = estimator.ngram_range
    if most > MAX_NGRAM:
        raise ConversionRefused(draft.path, cls, f"its ngram_range goes to {most}, a plan's at most to {MAX_NGRAM}")
    told: dict[str, Any] = {"lowercase": bool(estimator.lowercase), "accents": estimator.strip_accents or "keep"}
    told |= {"ngrams": [int(least), int(most)], "analyzer": estimator.analyzer, "names": x.names}
    if estimator.analyzer != "word":
        return told, {}
    if not is_safe(estimator.token_pattern):
        helps = (
            f"its token_pattern {estimator.token_pattern!r} could take for ever on some text; characters, classes and \\b with "
            "one + or * and no groups are carried, such as r'(?u)\\b\\w+\\b', r'[a-z]{3,}' or r'\\S+'"
        )
        raise ConversionRefused(draft.path, cls, helps)
    stops = estimator.get_stop_words()
    arrays = {"stops": packed(sorted(stops), draft, cls)} if stops else {}
    return {**told, "pattern": [estimator.token_pattern]}, arrays


def packed(terms: list[str], draft: Draft, cls: str) -> Any:
    """Terms as bytes: UTF-8, the first character one that is in none of them and separates them all.

    :raises ConversionRefused: there is no such character, or a term is no text.
    """
    separator = next((mark for mark in SEPARATORS if not any(mark in term for term in terms)), None)
    if separator is None:
        raise ConversionRefused(draft.path, cls, "its terms hold every control character that could separate them")
    try:
        return np.frombuffer("".join(separator + term for term in terms).encode(), dtype=np.uint8)
    except UnicodeEncodeError:
        raise ConversionRefused(draft.path, cls, "a term holds half of a surrogate pair; drop it from the texts") from None


def _note(x: Value, draft: Draft, terms: list[str]) -> None:
    """Let some terms stand in the rows that try the model."""
    source = x.columns[0].source
    if source is not None:
        draft.texts.setdefault(source, []).extend(terms[:: 1 + len(terms) // 1000])


def _expect_double(estimator: Any, draft: Draft) -> None:
    if np.dtype(estimator.dtype) != np.float64:
        raise ConversionRefused(draft.path, type(estimator).__name__, "its dtype is not float64; fit it with dtype=float")


def _hashed_width(estimator: Any, draft: Draft) -> int:
    if estimator.n_features > MAX_WIDTH:
        helps = f"its n_features is above {MAX_WIDTH:,}, which is the most that a plan holds"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    return int(estimator.n_features)
