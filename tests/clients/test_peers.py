"""Other model servers and ours have the same labels for one scikit-learn model; the page says where their errors differ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.models import Model
from benchmarks.peer_servers import PEERS, environment
from tests.clients.peer_cases import Case, Protocol
from tests.clients.peers import PAGE, SPOKEN, ask, both, differences, labels, table

pytestmark = pytest.mark.slow
ROWS = 60
Asked = tuple[str, Model, int, int]
NOT_REFUSED = {
    "no `id`",
    "a list in the place of the object",
}  # Open Inference's `id` is optional; SageMaker's clients send a list


@pytest.fixture(scope="module", params=SPOKEN)
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """The name of another server, the model, the port of that server, and that of ours."""
    name = request.param
    if environment(next(peer for peer in PEERS if peer.name == name)) is None:
        pytest.skip(f"the server {name} is not installed; run: .ci/install-peers {name}")
    with both(name, tmp_path_factory.mktemp(name)) as (model, theirs, ours):
        yield name, model, theirs, ours


def right(protocol: Protocol, model: Model) -> Case:
    """A request of many rows."""
    body = protocol.body(model.sample.head(ROWS).to_numpy().tolist())
    return Case.of("rows", body, "")


def test_the_labels_are_the_same(asked: Asked) -> None:
    name, model, theirs, ours = asked
    for protocol in SPOKEN[name]:
        case = right(protocol, model)
        expected = model.estimator.predict(model.sample.head(ROWS).to_numpy()).tolist()
        assert labels(ask(theirs, protocol, case)) == labels(ask(ours, protocol, case)) == expected, protocol.name
        assert len({*expected}) == 2


def test_a_fault_of_the_request_is_never_one_of_our_server(asked: Asked) -> None:
    name, model, theirs, ours = asked
    for _, case, _, our in differences(name, model, theirs, ours):
        assert our.status < 500 and (our.status >= 400 or case.words in NOT_REFUSED), (case.words, our)


def test_the_page_has_the_table_that_this_run_makes(asked: Asked) -> None:
    name, model, theirs, ours = asked
    made = table(name, model, theirs, ours)
    assert made in PAGE.read_text(), f"the page differs; run: python -m tests.clients.peers\n{made}"
