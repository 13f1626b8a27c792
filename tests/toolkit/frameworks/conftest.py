"""Django, set up without a project: each test names its own URLs."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def django() -> None:
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="of these tests", ROOT_URLCONF="none", USE_TZ=True)
        django.setup()
