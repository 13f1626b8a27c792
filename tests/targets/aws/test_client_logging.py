"""Our Runtime API client logs what AWS's own client logs: every byte of both streams and of the platform's descriptor."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.targets.aws.runtime_api import OWN, PLATFORM, Ended, Session, event
from tests.targets.aws.test_client import SITUATIONS

CONFIGURATIONS: dict[str, dict[str, str]] = {
    "text": {},
    "text from INFO on": {"AWS_LAMBDA_LOG_LEVEL": "INFO"},
    "text at no known level": {"AWS_LAMBDA_LOG_LEVEL": "bogus"},
    "JSON": {"AWS_LAMBDA_LOG_FORMAT": "JSON"},
    "json from trace on": {"AWS_LAMBDA_LOG_FORMAT": "json", "AWS_LAMBDA_LOG_LEVEL": "TRACE"},
    "JSON at FATAL": {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "FATAL"},
}
CODE = [
    "print('one'); print('two', end='')",
    "import sys; print('to stderr', file=sys.stderr); sys.stdout.writelines(['a', 'b\\n'])",
    "context.log('before logging is imported'); context.log(3)",
    "raise ValueError('two\\nlines')",
    "import logging; logging.warning('a %s', 'b'); logging.error('c'); logging.info('not shown'); logging.debug('nor this')",
    "import logging; logging.getLogger('mine').critical('x'); logging.log(35, 'between'); logging.log(5, 'low')",
    "import logging\ntry:\n 1 / 0\nexcept ZeroDivisionError:\n logging.exception('failed')",
    "import logging; logging.warning({'k': 1, 'd': {1, 2}.__len__}) if False else logging.warning({'k': [1]})",
    "import logging; logging.warning('extra', extra={'a': 1, 'requestId': 'x', 'b': None, 'c': {'d': 2}})",
    "context.log('by the root logger')",
    "import logging\ntry:\n logging.warning('%d', 'x')\nexcept TypeError as error:\n result = str(error)",
    "import logging; logging.warning('two\\nlines\\n')",
    "import logging; logging.warning('é漢😀')",
    "import logging; logging.basicConfig(level=logging.INFO); logging.info('still not shown')",
    "import logging; r = logging.getLogger(); result = [r.level, [[type(h).__name__, h.level] for h in r.handlers]]",
    "import logging; logging.getLogger().setLevel('INFO'); logging.info('shown now'); logging.getLogger().setLevel('WARNING')",
    "import logging; logging.getLogger().addHandler(logging.StreamHandler()); logging.warning('twice')",
    "import logging; logging.getLogger().handlers[0].setFormatter(logging.Formatter('%(aws_request_id)s %(message)s\\n'))",
    "import logging; logging.warning('formatted')",
    "import logging; logging.basicConfig(format='%(message)s', force=True); logging.warning('by a handler of its own')",
    "context.log('without a root handler of the client')",
    "raise KeyError('last')",
]


def observed(client: str, environ: dict[str, str], framed: bool) -> tuple[list[bytes], Ended]:
    """What a client posts and writes for all the code."""
    with Session(client, SITUATIONS, environ=environ, framed=framed) as session:
        tenants = [{"Aws_Tenant_Id": "blue"} if number % 2 else {} for number in range(len(CODE))]
        requests = [session.ask(event({"run": code}, number, **tenants[number])) for number, code in enumerate(CODE)]
        return [one.body for several in requests for one in several], session.end()


def masked(text: bytes) -> bytes:
    """A log without its times."""
    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", b"TIME", text)


@pytest.mark.parametrize("framed", [False, True], ids=["standard output", "descriptor"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_records_are_written_alike(configuration: str, framed: bool) -> None:
    bodies, platform = observed(PLATFORM, CONFIGURATIONS[configuration], framed)
    own_bodies, own = observed(OWN, CONFIGURATIONS[configuration], framed)
    assert masked(own.stdout) == masked(platform.stdout)
    assert masked(own.stderr) == masked(platform.stderr)
    assert [(kind, masked(text)) for kind, text in own.frames] == [(kind, masked(text)) for kind, text in platform.frames]
    assert bool(own.frames) is framed
    assert own_bodies == bodies


def test_a_function_that_does_not_log_does_not_import_logging() -> None:
    with Session(OWN, SITUATIONS) as session:
        (first,) = session.ask(event({"run": "print('x'); import sys; result = 'logging' in sys.modules"}))
        (second,) = session.ask(event({"run": "import logging.handlers; result = len(logging.getLogger().handlers)"}))
    assert (first.body, second.body) == (b"false", b"1")


def test_records_at_import_carry_no_request(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import logging\nlogging.warning('at import')\ndef handler(event, context): pass\n")
    found = []
    for client in (PLATFORM, OWN):
        with Session(client, tmp_path, environ={"AWS_LAMBDA_LOG_FORMAT": "JSON"}) as session:
            session.ask(event({}))
            found.append(json.loads(session.end().stdout))
    assert [{**one, "timestamp": ""} for one in found] == [
        {"timestamp": "", "level": "WARNING", "message": "at import", "logger": "root", "requestId": ""}
    ] * 2
