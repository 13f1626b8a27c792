"""How the stand-ins of sudo, ssh and scp answer for a machine, where each release has a folder."""

from tests.toolkit.deploying.stand_in import StandIn

STAND_IN = StandIn(
    tools=("sudo", "ssh", "scp"),
    answers={
        "/current": "release-{live}",
        "/previous": "release-{earlier}",
        "/url": "{url}",
        "systemctl show": "active running",
    },
    needs_live=("readlink", "/url"),
    makes=("sudo python3 -m zipfile", "scp"),
    back=r"/release-(\d+)/install.sh",
    login="-n true",
    account="none",
    label="release-{live}",
    apart=frozenset((2, 3)),  # machines are a group, and have no region
    file="",
    parameter="address",
    value="0.0.0.0:9090",
    shown="install.sh birds 0.0.0.0:9090",
    tagged="",
    went_back="/release-1/install.sh",
)
