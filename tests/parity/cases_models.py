"""More families of models, fitted: each class with its defaults and in another configuration."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import linear_model as lm
from sklearn.cluster import AffinityPropagation, Birch, BisectingKMeans, KMeans, MeanShift, MiniBatchKMeans
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import IsolationForest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    NearestCentroid,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVR, NuSVC, NuSVR, OneClassSVM

from tests.parity.cases import Case, after, fitted, of
from tests.parity.tables import Table, binary, holes, regression, several, several_classes, three


def few() -> Table:
    """A hundred rows of four features."""
    X, y = regression()
    return X[:100, [0, 2, 3, 8]], y[:100]


def few_of_one() -> Table:
    X, y = few()
    return X[:, [1]], y


def few_two() -> Table:
    X, y = several()
    return X[:100, [0, 2, 3, 8]], y[:100]


def positive() -> Table:
    X, y = regression()
    return X, np.abs(y) + 1.0


def counts() -> Table:
    """Small whole numbers, and three classes."""
    X, y = three()
    return np.floor(X * 2.0), np.array(["a", "b", "c"])[y]


def ten() -> Table:
    """Ten classes, some of them hard to tell apart."""
    X, y = load_digits(return_X_y=True)
    return X[:400, 18:46], y[:400]


def scaled(last: Any, table: Callable[[], Table]) -> Callable[[], Case]:
    return of(make_pipeline(StandardScaler(), last), table)


def unlabelled(estimator: Any, table: Callable[[], Table] = three) -> Callable[[], Case]:
    return of(estimator, lambda: (table()[0], None))


def retired(name: str, table: Callable[[], Table], **parameters: Any) -> Callable[[], Case]:
    """A class of linear models that warns when it is made."""

    def made() -> Case:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fitted(make_pipeline(StandardScaler(), getattr(lm, name)(random_state=0, **parameters)), table())

    return made


SEED: dict[str, Any] = {"random_state": 0}

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "linear-kin": {
        "ridge-classifier": of(lm.RidgeClassifier(), binary),
        "ridge-classifier-three": of(lm.RidgeClassifier(0.1, fit_intercept=False), three),
        "ridge-classifier-cv": of(lm.RidgeClassifierCV(), three),
        "ridge-classifier-cv-binary": of(lm.RidgeClassifierCV(alphas=[0.5, 2.0]), binary),
        "perceptron": scaled(lm.Perceptron(**SEED), binary),
        "perceptron-three": scaled(lm.Perceptron(penalty="l2", **SEED), three),
        "passive-aggressive": retired("PassiveAggressiveClassifier", binary),
        "passive-aggressive-three": retired("PassiveAggressiveClassifier", three, loss="squared_hinge"),
        "passive-aggressive-regressor": retired("PassiveAggressiveRegressor", regression),
        "passive-aggressive-regressor-squared": retired(
            "PassiveAggressiveRegressor", regression, loss="squared_epsilon_insensitive"
        ),
        "logistic-cv": scaled(lm.LogisticRegressionCV(Cs=2, cv=3), three),
        "logistic-cv-liblinear": scaled(lm.LogisticRegressionCV(Cs=2, cv=3, solver="liblinear"), binary),
        "ridge-cv": of(lm.RidgeCV(), regression),
        "ridge-cv-two-outputs": of(lm.RidgeCV(alphas=[1.0, 3.0], alpha_per_target=True), several),
        "lasso-cv": of(lm.LassoCV(cv=3), regression),
        "lasso-cv-positive": of(lm.LassoCV(cv=3, positive=True), regression),
        "elastic-net-cv": of(lm.ElasticNetCV(cv=3), regression),
        "elastic-net-cv-ratios": of(lm.ElasticNetCV(l1_ratio=[0.2, 0.9], cv=3, fit_intercept=False), regression),
        "multi-task-lasso": of(lm.MultiTaskLasso(), several),
        "multi-task-lasso-no-intercept": of(lm.MultiTaskLasso(0.1, fit_intercept=False), several),
        "multi-task-lasso-cv": of(lm.MultiTaskLassoCV(cv=3), several),
        "multi-task-lasso-cv-few": of(lm.MultiTaskLassoCV(cv=3, alphas=5), several),
        "multi-task-elastic-net": of(lm.MultiTaskElasticNet(), several),
        "multi-task-elastic-net-ratio": of(lm.MultiTaskElasticNet(l1_ratio=0.9), several),
        "multi-task-elastic-net-cv": of(lm.MultiTaskElasticNetCV(cv=3), several),
        "multi-task-elastic-net-cv-few": of(lm.MultiTaskElasticNetCV(cv=3, alphas=5), several),
        "lars": of(lm.Lars(), regression),
        "lars-two-outputs": of(lm.Lars(n_nonzero_coefs=4), several),
        "lars-cv": of(lm.LarsCV(), regression),
        "lars-cv-no-intercept": of(lm.LarsCV(cv=3, fit_intercept=False), regression),
        "lasso-lars": of(lm.LassoLars(0.1), regression),
        "lasso-lars-two-outputs": of(lm.LassoLars(0.1), several),
        "lasso-lars-cv": of(lm.LassoLarsCV(), regression),
        "lasso-lars-cv-positive": of(lm.LassoLarsCV(cv=3, positive=True), regression),
        "lasso-lars-ic": of(lm.LassoLarsIC(), regression),
        "lasso-lars-ic-bic": of(lm.LassoLarsIC("bic"), regression),
        "pursuit": of(lm.OrthogonalMatchingPursuit(), regression),
        "pursuit-two-outputs": of(lm.OrthogonalMatchingPursuit(n_nonzero_coefs=3), several),
        "pursuit-cv": of(lm.OrthogonalMatchingPursuitCV(), regression),
        "pursuit-cv-no-intercept": of(lm.OrthogonalMatchingPursuitCV(fit_intercept=False, cv=3), regression),
        "bayesian-ridge": of(lm.BayesianRidge(), regression),
        "bayesian-ridge-no-intercept": of(lm.BayesianRidge(fit_intercept=False), regression),
        "ard": of(lm.ARDRegression(), regression),
        "ard-no-intercept": of(lm.ARDRegression(fit_intercept=False), regression),
        "huber": scaled(lm.HuberRegressor(), regression),
        "huber-wide": scaled(lm.HuberRegressor(epsilon=2.0), regression),
        "quantile": of(lm.QuantileRegressor(alpha=0.1), regression),
        "quantile-high": of(lm.QuantileRegressor(quantile=0.9, alpha=0.0), regression),
        "theil-sen": of(lm.TheilSenRegressor(max_subpopulation=50, **SEED), regression),
        "theil-sen-no-intercept": of(lm.TheilSenRegressor(max_subpopulation=50, fit_intercept=False, **SEED), regression),
        "svr": scaled(LinearSVR(**SEED), regression),
        "svr-squared": scaled(LinearSVR(loss="squared_epsilon_insensitive", **SEED), regression),
        "poisson": scaled(lm.PoissonRegressor(), positive),
        "poisson-no-intercept": scaled(lm.PoissonRegressor(fit_intercept=False), positive),
        "gamma": scaled(lm.GammaRegressor(), positive),
        "gamma-strong": scaled(lm.GammaRegressor(alpha=10.0), positive),
        "tweedie": scaled(lm.TweedieRegressor(), positive),
        "tweedie-log": scaled(lm.TweedieRegressor(power=1.5, alpha=0.1), positive),
        "ransac": of(lm.RANSACRegressor(**SEED), regression),
        "ransac-ridge": of(lm.RANSACRegressor(make_pipeline(StandardScaler(), lm.Ridge()), min_samples=20, **SEED), regression),
        "sgd-one-class": unlabelled(make_pipeline(StandardScaler(), lm.SGDOneClassSVM(**SEED))),
        "sgd-one-class-nu": unlabelled(make_pipeline(StandardScaler(), lm.SGDOneClassSVM(nu=0.1, **SEED)), binary),
    },
    "svm": {
        "svc": scaled(SVC(), binary),
        "svc-three": of(SVC(), three),
        "svc-linear": of(SVC(kernel="linear"), three),
        "svc-poly": of(SVC(kernel="poly", degree=4, coef0=1.0), three),
        "svc-sigmoid": scaled(SVC(kernel="sigmoid", gamma=0.1, coef0=0.5), three),
        "svc-pairs": of(SVC(decision_function_shape="ovo"), ten),
        "svc-ten": of(SVC(C=0.1), ten),
        "svc-break-ties": of(SVC(break_ties=True, C=0.1), ten),
        "svc-probability": scaled(SVC(probability=True, **SEED), binary),
        "svc-probability-three": of(SVC(probability=True, **SEED), three),
        "svc-probability-ten": of(SVC(probability=True, **SEED), ten),
        "nu-svc": of(NuSVC(nu=0.2), three),
        "nu-svc-two": scaled(NuSVC(kernel="linear", nu=0.3), binary),
        "svr": scaled(SVR(C=100.0), regression),
        "svr-poly": scaled(SVR(kernel="poly", degree=2, coef0=1.0), regression),
        "nu-svr": scaled(NuSVR(C=100.0), regression),
        "nu-svr-linear": scaled(NuSVR(kernel="linear", nu=0.2), regression),
        "one-class": unlabelled(make_pipeline(StandardScaler(), OneClassSVM(nu=0.1))),
        "one-class-sigmoid": unlabelled(make_pipeline(StandardScaler(), OneClassSVM(kernel="sigmoid", gamma=0.05))),
    },
    "neighbors": {
        "classifier": of(KNeighborsClassifier(), binary),
        "classifier-ties": of(KNeighborsClassifier(3), three),
        "classifier-distance": of(KNeighborsClassifier(7, weights="distance", leaf_size=5), three),
        "classifier-brute": scaled(KNeighborsClassifier(4, algorithm="brute"), binary),
        "classifier-manhattan": of(KNeighborsClassifier(6, p=1), three),
        "classifier-chebyshev": of(KNeighborsClassifier(5, metric="chebyshev", weights="distance"), three),
        "classifier-minkowski": scaled(KNeighborsClassifier(5, p=3), binary),
        "classifier-two-outputs": of(KNeighborsClassifier(8), several_classes),
        "regressor": of(KNeighborsRegressor(), regression),
        "regressor-distance": scaled(KNeighborsRegressor(9, weights="distance"), several),
        "radius-classifier": scaled(RadiusNeighborsClassifier(4.0, outlier_label="benign"), binary),
        "radius-classifier-refusing": of(RadiusNeighborsClassifier(1.01, weights="distance"), three),
        "radius-regressor": scaled(RadiusNeighborsRegressor(6.0), regression),
        "radius-regressor-distance": scaled(RadiusNeighborsRegressor(3.0, weights="distance", p=1), regression),
        "centroid": of(NearestCentroid(), three),
        "centroid-priors": of(NearestCentroid(priors=[0.3, 0.7], shrink_threshold=0.1), binary),
        "centroid-empirical": of(NearestCentroid(priors=[0.2, 0.3, 0.5]), three),
        "centroid-manhattan": of(NearestCentroid(metric="manhattan"), three),
    },
    "processes": {
        "regressor": scaled(GaussianProcessRegressor(alpha=0.5), few),
        "regressor-sum": scaled(
            GaussianProcessRegressor(2.0 * RBF(3.0) + WhiteKernel() + DotProduct(0.5), normalize_y=True, optimizer=None), few
        ),
        "regressor-matern": scaled(GaussianProcessRegressor(Matern(2.0, nu=1.5) * 3.0, alpha=1.0, optimizer=None), few_two),
        "regressor-matern-rough": scaled(
            GaussianProcessRegressor(Matern(2.0, nu=0.5) + Matern(4.0, nu=2.5) ** 2 + Matern(nu=np.inf), optimizer=None), few
        ),
        "regressor-lengths": scaled(
            GaussianProcessRegressor(RBF([1.0, 2.0, 3.0, 4.0]) + RationalQuadratic(2.0, 0.7), alpha=0.1, optimizer=None), few
        ),
        "regressor-periodic": scaled(
            GaussianProcessRegressor(ExpSineSquared(2.0, 5.0) * RBF(5.0), alpha=0.1, optimizer=None), few_of_one
        ),
        "regressor-constant": scaled(
            GaussianProcessRegressor((ConstantKernel(2.0) + WhiteKernel()) ** 2, alpha=0.1, optimizer=None), few
        ),
    },
    "outliers": {
        "factor": unlabelled(make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True))),
        "factor-contamination": unlabelled(LocalOutlierFactor(10, contamination=0.1, novelty=True, p=1), binary),
        "isolation": unlabelled(IsolationForest(n_estimators=30, **SEED), binary),
        "isolation-features": unlabelled(
            IsolationForest(n_estimators=30, max_features=4, contamination=0.1, bootstrap=True, **SEED), binary
        ),
        "isolation-missing": unlabelled(IsolationForest(n_estimators=20, max_samples=2, **SEED), holes),
        "envelope": unlabelled(EllipticEnvelope(**SEED)),
        "envelope-not-centered": unlabelled(EllipticEnvelope(assume_centered=True, contamination=0.2, **SEED), binary),
    },
    "networks": {
        "classifier": scaled(MLPClassifier(hidden_layer_sizes=(12,), max_iter=20, **SEED), binary),
        "classifier-tanh": scaled(MLPClassifier(hidden_layer_sizes=(8, 6), activation="tanh", max_iter=20, **SEED), three),
        "classifier-logistic": scaled(MLPClassifier(hidden_layer_sizes=(8,), activation="logistic", max_iter=20, **SEED), three),
        "regressor": scaled(MLPRegressor(hidden_layer_sizes=(12, 5), max_iter=30, **SEED), regression),
        "regressor-identity": scaled(MLPRegressor(hidden_layer_sizes=(6,), activation="identity", max_iter=30, **SEED), several),
        "regressor-poisson": scaled(MLPRegressor(hidden_layer_sizes=(6,), loss="poisson", max_iter=30, **SEED), positive),
    },
    "naive-bayes": {
        "gaussian": of(GaussianNB(), three),
        "gaussian-priors": of(GaussianNB(priors=[0.9, 0.1], var_smoothing=1e-3), binary),
        "multinomial": of(MultinomialNB(), counts),
        "multinomial-uniform": of(MultinomialNB(alpha=0.1, fit_prior=False), binary),
        "complement": of(ComplementNB(), counts),
        "complement-norm": of(ComplementNB(norm=True), binary),
        "bernoulli": of(BernoulliNB(binarize=3.0), three),
        "bernoulli-scaled": scaled(BernoulliNB(), binary),
        "bernoulli-as-it-is": of(BernoulliNB(binarize=None), lambda: ((three()[0] > 3.0).astype(float), three()[1])),
        "categorical": of(CategoricalNB(), counts),
        "categorical-wider": of(CategoricalNB(min_categories=20, alpha=0.5), counts),
    },
    "discriminant": {
        "linear": of(LinearDiscriminantAnalysis(), three),
        "linear-two": of(LinearDiscriminantAnalysis("lsqr", shrinkage="auto"), binary),
        "linear-eigen": of(LinearDiscriminantAnalysis("eigen", shrinkage=0.2), three),
        "linear-transform": after(LinearDiscriminantAnalysis(), three),
        "linear-transform-one": after(LinearDiscriminantAnalysis("eigen", shrinkage="auto", n_components=1), three),
        "quadratic": of(QuadraticDiscriminantAnalysis(), three),
        "quadratic-two": of(QuadraticDiscriminantAnalysis(reg_param=0.2, priors=[0.3, 0.7]), binary),
        "quadratic-eigen": of(QuadraticDiscriminantAnalysis(solver="eigen", shrinkage=0.1), three),
    },
    "clusters": {
        "k-means": unlabelled(KMeans(3, n_init=1, **SEED)),
        "k-means-many": unlabelled(KMeans(9, n_init=1, algorithm="elkan", **SEED), regression),
        "mini-batch": unlabelled(MiniBatchKMeans(3, n_init=1, **SEED)),
        "mini-batch-many": unlabelled(MiniBatchKMeans(8, n_init=1, batch_size=50, **SEED), binary),
        "bisecting": unlabelled(BisectingKMeans(5, **SEED)),
        "bisecting-largest": unlabelled(BisectingKMeans(8, bisecting_strategy="largest_cluster", **SEED), regression),
        "bisecting-one": unlabelled(BisectingKMeans(1, **SEED)),
        "mean-shift": unlabelled(MeanShift()),
        "mean-shift-bins": unlabelled(MeanShift(bandwidth=1.0, bin_seeding=True)),
        "affinity": unlabelled(AffinityPropagation(**SEED)),
        "affinity-damped": unlabelled(AffinityPropagation(damping=0.8, preference=-50, **SEED)),
        "birch": unlabelled(Birch(n_clusters=3)),
        "birch-subclusters": unlabelled(Birch(threshold=0.8, n_clusters=None)),
        "mixture": unlabelled(GaussianMixture(3, **SEED)),
        "mixture-tied": unlabelled(GaussianMixture(3, covariance_type="tied", **SEED)),
        "mixture-diagonal": unlabelled(GaussianMixture(3, covariance_type="diag", **SEED)),
        "mixture-spherical": unlabelled(GaussianMixture(3, covariance_type="spherical", **SEED), binary),
        "bayesian-mixture": unlabelled(BayesianGaussianMixture(n_components=4, **SEED)),
        "bayesian-mixture-dirichlet": unlabelled(
            BayesianGaussianMixture(
                n_components=4, covariance_type="diag", weight_concentration_prior_type="dirichlet_distribution", **SEED
            )
        ),
    },
}
