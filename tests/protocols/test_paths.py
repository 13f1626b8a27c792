"""The paths of all transports have one form, and what a gateway puts before them is taken away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.protocols import native, paths, route

PATHS = st.text(alphabet="/ab%25F.é?", max_size=30)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *(("/predict", "/predict"), ("//predict", "/predict"), ("/predict/", "/predict"), ("", "/"), ("///", "/")),
        *(("predict", "/predict"), ("/%70redict", "/predict"), ("/%2570redict", "/predict"), ("/Predict", "/Predict")),
        *(("/models%2Firis%2fpredict", "/models/iris/predict"), ("/a%zz", "/a%zz"), ("/%FF", "/\N{REPLACEMENT CHARACTER}")),
    ],
)
def test_a_path_has_one_form(path: str, expected: str) -> None:
    assert paths.normalized(path) == expected


@given(PATHS)
def test_a_normal_path_stays_as_it_is(path: str) -> None:
    normal = paths.normalized(path)
    assert normal.startswith("/") and "//" not in normal and (normal == "/" or not normal.endswith("/"))
    assert "%" in normal or paths.normalized(normal) == normal


@pytest.mark.parametrize(
    ("path", "base", "expected"),
    [
        *(("/ml/predict", "/ml", "/predict"), ("/ml/predict", "ml/", "/predict"), ("/ml", "/ml", "/"), ("/mlx", "/ml", "/mlx")),
        *(("/predict", "/ml", "/predict"), ("/predict", "", "/predict"), ("/predict", "/", "/predict"), ("/a/b", "//a", "/b")),
    ],
)
def test_a_base_path_is_cut_where_it_is(path: str, base: str, expected: str) -> None:
    assert paths.without_base(path, base) == expected


@given(PATHS, PATHS)
def test_what_a_gateway_has_put_before_its_route_is_found(base: str, end: str) -> None:
    base, end = paths.normalized(base).replace("%", "").rstrip("/"), paths.normalized(end).replace("%", "")
    base, end = paths.normalized(base), paths.normalized(end)
    whole = paths.normalized(f"{base}/{end}")
    assert paths.without_base(whole, paths.base_before(whole, end)) == end


@pytest.mark.parametrize("method", ["GET", "HEAD", "get", "Head"])
def test_head_is_asked_as_get(method: str) -> None:
    assert route((native,), method, "//health/")[1:] == (native.health, "")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        *(("/predict", "POST, OPTIONS"), ("/", "GET, POST, HEAD, OPTIONS"), ("/health", "GET, HEAD, OPTIONS")),
        *(("/models/m/predict", "POST, OPTIONS"), ("*", "GET, POST, HEAD, OPTIONS")),
    ],
)
def test_options_are_the_methods_of_a_path(path: str, allow: str) -> None:
    _, operation, _ = route((native,), "OPTIONS", path)
    context: object = None
    answer = operation(context, context, "")  # type: ignore[arg-type]
    assert (answer.status, answer.body, answer.headers) == (204, b"", {"allow": allow})
