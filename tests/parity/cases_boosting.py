"""LightGBM, XGBoost and CatBoost in many configurations, small and on one thread, alone and composed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import xgboost
from catboost import CatBoost, CatBoostClassifier, CatBoostRanker, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRanker, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier, VotingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRanker, XGBRegressor, XGBRFClassifier, XGBRFRegressor

from flyweight.toolkit.packing.natives import adopt
from tests.parity.cases import Case, of
from tests.parity.tables import Table, binary, categorical_frame, holes, mixed, regression, several, three
from tests.parity.tables_boosting import (
    censored,
    classified,
    counts,
    crossed,
    frame_of_categories,
    goods,
    numeric_categories,
    queries,
    shares,
    shop,
    zeros,
)

LGBM: dict[str, Any] = {"n_estimators": 12, "num_leaves": 8, "n_jobs": 1, "verbose": -1, "random_state": 0, "deterministic": True}
SPLITS: dict[str, Any] = {"max_cat_to_onehot": 1, "min_data_per_group": 1, "cat_smooth": 0.0, "cat_l2": 0.1}
BAGS: dict[str, Any] = {"bagging_fraction": 0.6, "bagging_freq": 1}


def lgbm(objective: Any = None, table: Callable[[], Table] = regression, **more: Any) -> Callable[[], Case]:
    return of(LGBMRegressor(objective=objective, **LGBM, **more), table)


def lgbm_classes(table: Callable[[], Table], **more: Any) -> Callable[[], Case]:
    return of(LGBMClassifier(**LGBM, **more), table)


def lgbm_early() -> Case:
    X, y = regression()
    model = LGBMRegressor(**{**LGBM, "n_estimators": 300, "learning_rate": 0.3})
    return model.fit(X[:300], y[:300], eval_X=X[300:], eval_y=y[300:], callbacks=[lightgbm.early_stopping(3, verbose=False)]), X


def lgbm_ranker() -> Case:
    X, y, groups = queries()
    return LGBMRanker(**LGBM).fit(X, y, group=groups), X


def lgbm_whole_numbers(**more: Any) -> Callable[[], Case]:
    def made() -> Case:
        X, y = shop()
        return LGBMRegressor(**LGBM, **more).fit(X, y, categorical_feature=[0, 1]), X

    return made


def lgbm_booster(table: Callable[[], Table], **more: Any) -> Callable[[], Case]:
    def made() -> Case:
        X, y = table()
        y = y if y.dtype.kind == "f" else np.unique(y, return_inverse=True)[1]
        data = lightgbm.Dataset(X, y)
        parameters = {"num_leaves": 8, "verbose": -1, "num_threads": 1, **more}
        return adopt(lightgbm.train(parameters, data, num_boost_round=10)), X

    return made


XGB: dict[str, Any] = {"n_estimators": 12, "max_depth": 3, "n_jobs": 1, "random_state": 0}


def numbered(table: Callable[[], Table]) -> Callable[[], Table]:
    """A table whose classes are numbered from zero, as XGBoost requires."""

    def made() -> Table:
        X, y = table()
        return X, np.unique(np.asarray(y), return_inverse=True)[1]

    return made


def xgb(objective: str = "reg:squarederror", table: Callable[[], Table] = regression, **more: Any) -> Callable[[], Case]:
    return of(XGBRegressor(objective=objective, **{**XGB, **more}), table)


def xgb_classes(table: Callable[[], Table], **more: Any) -> Callable[[], Case]:
    return of(XGBClassifier(**{**XGB, **more}), numbered(table))


def xgb_forest(kind: Any, table: Callable[[], Table]) -> Callable[[], Case]:
    def made() -> Case:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated since 3.4
            return kind(**XGB).fit(*table()), table()[0]

    return made


def xgb_failure_times() -> Case:
    X, y = regression()
    data = xgboost.DMatrix(X, label_lower_bound=y, label_upper_bound=y * 1.1)
    return adopt(xgboost.train({"objective": "survival:aft", "nthread": 1, "max_depth": 3}, data, 10)), X


def xgb_early() -> Case:
    X, y = regression()
    model = XGBRegressor(**{**XGB, "n_estimators": 300, "early_stopping_rounds": 3, "learning_rate": 0.5})
    return model.fit(X[:300], y[:300], eval_set=[(X[300:], y[300:])], verbose=False), X


def xgb_ranker() -> Case:
    X, y, groups = queries()
    return XGBRanker(**XGB).fit(X, y, group=groups), X


def xgb_booster(table: Callable[[], Table], **more: Any) -> Callable[[], Case]:
    def made() -> Case:
        X, y = table()
        data = xgboost.DMatrix(X, y)
        return adopt(xgboost.train({"max_depth": 3, "nthread": 1, **more}, data, num_boost_round=10)), X

    return made


def xgb_whole_numbers(**more: Any) -> Callable[[], Case]:
    def made() -> Case:
        X, y = shop()
        X = X[:, [0, 2]]
        return XGBRegressor(**XGB, enable_categorical=True, feature_types=["c", "q"], **more).fit(X, y), X

    return made


CAT: dict[str, Any] = {
    "iterations": 15,
    "depth": 4,
    "thread_count": 1,
    "verbose": 0,
    "allow_writing_files": False,
    "random_seed": 0,
}


def cat(table: Callable[[], Table] = regression, **more: Any) -> Callable[[], Case]:
    return of(CatBoostRegressor(**{**CAT, **more}), table)


def cat_classes(table: Callable[[], Table], **more: Any) -> Callable[[], Case]:
    return of(CatBoostClassifier(**{**CAT, **more}), table)


def cat_crossed(**more: Any) -> Callable[[], Case]:
    options: dict[str, Any] = {"cat_features": ["a", "b"], "one_hot_max_size": 1, "iterations": 30, "model_size_reg": 0.0}
    return cat(crossed, **{**options, **more})


def cat_ranker() -> Case:
    X, y, _ = queries()
    return CatBoostRanker(**CAT, loss_function="YetiRank").fit(X, y, group_id=np.repeat(np.arange(20), 20)), X


def cat_threshold() -> Case:
    X, y = holes()
    model = CatBoostClassifier(**CAT).fit(X, y)
    model.set_probability_threshold(0.7)
    return model, X


def cat_early() -> Case:
    X, y = regression()
    model = CatBoostRegressor(**{**CAT, "iterations": 300, "learning_rate": 0.5})
    return model.fit(X[:300], y[:300], eval_set=(X[300:], y[300:]), early_stopping_rounds=5), X


def cat_base() -> Case:
    X, y = holes()
    return adopt(CatBoost({**CAT, "loss_function": "Logloss"}).fit(X, y)), X


NAMED: dict[str, Any] = {"cat_features": ["word", "size"]}
CTRS: dict[str, Any] = {**NAMED, "one_hot_max_size": 1}


def absolute_error(truth: Any, raw: Any) -> Any:
    return np.sign(raw - truth), np.ones_like(raw)


FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "lightgbm": {
        "binary": lgbm_classes(binary),
        "binary-missing": lgbm_classes(holes),
        "binary-sigmoid": lgbm_classes(holes, sigmoid=0.7, is_unbalance=True),
        "binary-cross-entropy": lgbm_classes(binary, objective="cross_entropy"),
        "three": lgbm_classes(three),
        "three-one-vs-all": lgbm_classes(classified(regression), objective="multiclassova", sigmoid=1.3),
        "three-random-forest": lgbm_classes(three, boosting_type="rf", **BAGS),
        "three-categories": lgbm_classes(categorical_frame, **SPLITS),
        "dart": lgbm_classes(holes, boosting_type="dart", drop_rate=0.5),
        "goss": lgbm_classes(holes, data_sample_strategy="goss"),
        "extra-trees": lgbm(extra_trees=True),
        "l2": lgbm(),
        "l1": lgbm("regression_l1"),
        "huber": lgbm("huber"),
        "fair": lgbm("fair"),
        "quantile": lgbm("quantile", alpha=0.8),
        "mape": lgbm("mape"),
        "poisson": lgbm("poisson", counts),
        "gamma": lgbm("gamma", counts),
        "tweedie": lgbm("tweedie", counts, tweedie_variance_power=1.3),
        "cross-entropy": lgbm("cross_entropy", shares),
        "cross-entropy-lambda": lgbm("cross_entropy_lambda", shares),
        "square-root": lgbm(table=counts, reg_sqrt=True),
        "own-objective": lgbm(absolute_error),
        "random-forest": lgbm(boosting_type="rf", **BAGS),
        "linear-leaves": lgbm(linear_tree=True),
        "linear-leaves-missing": lgbm_classes(holes, linear_tree=True),
        "zero-as-missing": lgbm_classes(zeros, zero_as_missing=True),
        "no-missing": lgbm_classes(zeros, use_missing=False),
        "stump-of-no-split": lgbm(min_child_samples=10_000),
        "whole-number-categories": lgbm_whole_numbers(**SPLITS),
        "whole-number-categories-one-hot": lgbm_whole_numbers(max_cat_to_onehot=50),
        "linear-leaves-categories": lgbm_whole_numbers(linear_tree=True, **SPLITS),
        "categories": of(LGBMRegressor(**LGBM, **SPLITS), frame_of_categories),
        "early-stopping": lgbm_early,
        "ranker": lgbm_ranker,
        "booster-binary": lgbm_booster(binary, objective="binary"),
        "booster-three": lgbm_booster(three, objective="multiclass", num_class=3),
        "booster-poisson": lgbm_booster(counts, objective="poisson"),
        "pipeline": of(make_pipeline(StandardScaler(), LGBMClassifier(**LGBM)), binary),
        "pipeline-penguins": of(
            make_pipeline(
                make_column_transformer(
                    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["island", "sex"]), remainder="passthrough"
                ).set_output(transform="pandas"),
                LGBMClassifier(**LGBM),
            ),
            mixed,
        ),
        "calibrated": of(CalibratedClassifierCV(LGBMClassifier(**LGBM), cv=2), binary),
        "calibrated-isotonic": of(CalibratedClassifierCV(LGBMClassifier(**LGBM), method="isotonic", cv=2), three),
        "stacking": of(StackingClassifier([("a", LGBMClassifier(**LGBM))], LogisticRegression(), cv=2), holes),
        "voting": of(VotingRegressor([("a", LGBMRegressor(**LGBM)), ("b", Ridge())]), regression),
        "several": of(MultiOutputRegressor(LGBMRegressor(**LGBM)), several),
    },
    "xgboost": {
        "binary": xgb_classes(binary),
        "binary-missing": xgb_classes(holes),
        "binary-scaled": xgb_classes(holes, scale_pos_weight=3.0, base_score=0.3),
        "three": xgb_classes(three),
        "three-forests": xgb_classes(three, num_parallel_tree=3, subsample=0.7),
        "many-trees": xgb(n_estimators=150, max_depth=4),
        "leaf-wise": xgb(grow_policy="lossguide", max_leaves=9, max_depth=0),
        "exact": xgb(tree_method="exact"),
        "base-score": xgb(base_score=100.0),
        "missing-number": xgb_classes(zeros, missing=0.0),
        "squared-log": xgb("reg:squaredlogerror", counts),
        "pseudo-huber": xgb("reg:pseudohubererror"),
        "absolute": xgb("reg:absoluteerror"),
        "quantile": xgb("reg:quantileerror", quantile_alpha=0.8),
        "quantiles": xgb("reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9]),
        "logistic": xgb("reg:logistic", shares),
        "poisson": xgb("count:poisson", counts),
        "gamma": xgb("reg:gamma", counts),
        "cox": xgb("survival:cox", censored),
        "tweedie": xgb("reg:tweedie", counts, tweedie_variance_power=1.3),
        "dart": xgb(rate_drop=0.4, booster="dart"),
        "dart-three": xgb_classes(three, rate_drop=0.4, booster="dart"),
        "several": xgb(table=several),
        "several-in-one-tree": xgb(table=several, multi_strategy="multi_output_tree"),
        "forest": xgb_forest(XGBRFRegressor, regression),
        "forest-classes": xgb_forest(XGBRFClassifier, three),
        "categories-of-numbers": of(XGBRegressor(**XGB, enable_categorical=True, max_cat_to_onehot=1), numeric_categories),
        "whole-number-categories": xgb_whole_numbers(max_cat_to_onehot=1),
        "whole-number-categories-one-hot": xgb_whole_numbers(max_cat_to_onehot=50),
        "early-stopping": xgb_early,
        "ranker": xgb_ranker,
        "booster-binary": xgb_booster(numbered(binary), objective="binary:logistic"),
        "booster-three": xgb_booster(three, objective="multi:softprob", num_class=3),
        "booster-failure-times": xgb_failure_times,
        "booster-three-labels": xgb_booster(three, objective="multi:softmax", num_class=3),
        "pipeline": of(make_pipeline(StandardScaler(), XGBClassifier(**XGB)), numbered(binary)),
        "calibrated": of(CalibratedClassifierCV(XGBClassifier(**XGB), cv=2), numbered(binary)),
        "voting": of(VotingRegressor([("a", XGBRegressor(**XGB)), ("b", Ridge())]), regression),
    },
    "catboost": {
        "rmse": cat(),
        "binary": cat_classes(binary),
        "binary-missing": cat_classes(holes),
        "binary-missing-max": cat_classes(holes, nan_mode="Max"),
        "binary-cross-entropy": cat_classes(numbered(binary), loss_function="CrossEntropy"),
        "binary-threshold": cat_threshold,
        "three": cat_classes(three),
        "three-one-vs-all": cat_classes(classified(regression), loss_function="MultiClassOneVsAll"),
        "three-depthwise": cat_classes(three, grow_policy="Depthwise"),
        "many-trees": cat(iterations=200),
        "lossguide": cat(grow_policy="Lossguide", max_leaves=9),
        "mae": cat(loss_function="MAE"),
        "quantile": cat(loss_function="Quantile:alpha=0.8"),
        "quantiles": cat(loss_function="MultiQuantile:alpha=0.1,0.5,0.9"),
        "huber": cat(loss_function="Huber:delta=10"),
        "poisson": cat(counts, loss_function="Poisson"),
        "tweedie": cat(counts, loss_function="Tweedie:variance_power=1.5"),
        "several": cat(several, loss_function="MultiRMSE"),
        "one-hot": cat(goods, **NAMED, one_hot_max_size=20),
        "one-hot-lossguide": cat(goods, **NAMED, one_hot_max_size=20, grow_policy="Lossguide"),
        "statistics": cat(goods, **CTRS),
        "statistics-combined": cat_crossed(),
        "statistics-buckets": cat_crossed(simple_ctr="Buckets", combinations_ctr="Buckets"),
        "statistics-counter": cat_crossed(simple_ctr="Counter", combinations_ctr="Counter"),
        "statistics-means": cat_crossed(combinations_ctr="BinarizedTargetMeanValue"),
        "statistics-and-one-hot": cat_crossed(one_hot_max_size=3),
        "statistics-three": cat_classes(classified(goods), **CTRS, iterations=30),
        "statistics-depthwise": cat(goods, **CTRS, grow_policy="Depthwise"),
        "early-stopping": cat_early,
        "ranker": cat_ranker,
        "base-class": of(CatBoost({**CAT, "loss_function": "Logloss"}), holes),
        "base-class-adopted": cat_base,
        "pipeline": of(make_pipeline(StandardScaler(), CatBoostClassifier(**CAT)), binary),
        "calibrated": of(CalibratedClassifierCV(CatBoostClassifier(**CAT), cv=2), binary),
        "voting": of(VotingRegressor([("a", CatBoostRegressor(**CAT)), ("b", Ridge())]), regression),
    },
}

if int(xgboost.__version__.split(".")[1]) >= 4:  # before, it confused strings if one was the beginning of the other
    FAMILIES["xgboost"] |= {
        "expectile": xgb("reg:expectileerror", expectile_alpha=0.3),
        "expectiles": xgb("reg:expectileerror", expectile_alpha=[0.1, 0.5, 0.9], n_estimators=40),
        "quantiles-in-one-tree": xgb(
            "reg:quantileerror", quantile_alpha=[0.2, 0.8], multi_strategy="multi_output_tree", n_estimators=5
        ),
        "three-categories": xgb_classes(categorical_frame, enable_categorical=True, max_cat_to_onehot=1),
        "categories": of(XGBRegressor(**XGB, enable_categorical=True, max_cat_to_onehot=1), frame_of_categories),
        "categories-one-hot": of(XGBRegressor(**XGB, enable_categorical=True, max_cat_to_onehot=50), frame_of_categories),
    }
