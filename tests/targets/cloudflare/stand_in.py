"""How the stand-in of wrangler answers for a Worker: to `deployments status` at once as with and without --json."""

from tests.toolkit.deploying.stand_in import StandIn

VERSION = "00000000-0000-4000-8000-0000000000"

STAND_IN = StandIn(
    tools=("wrangler",),
    answers={
        "whoami": ' "id": "0123456789abcdef",',
        "deployments status": f'Message:     {{url}}\n "version_id": "{VERSION}{{live:02}}",',
        "deployments list": f' "version_id": "{VERSION}{{earlier:02}}",\n "version_id": "{VERSION}{{live:02}}",',
    },
    needs_live=("deployments",),
    makes=("wrangler deploy --name",),
    back=rf"rollback {VERSION}(\d+)",
    login="whoami",
    account="0123456789abcdef",
    label=VERSION + "{live:02}",
    apart=frozenset((2, 3)),  # an account is a group, and there are no regions
    file="",
    parameter="domain",
    value="models.example.com",
    shown="--domain models.example.com --message https://models.example.com",
    tagged="",
    went_back=f"rollback {VERSION}01 --name",
    free="FLYWEIGHT_CORS_ORIGINS",
)
