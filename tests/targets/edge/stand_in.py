"""How the stand-ins of sudo, ssh and scp answer for a device: as for a machine, where each release has a folder."""

from dataclasses import replace

from tests.targets.vm.stand_in import STAND_IN as MACHINE

STAND_IN = replace(MACHINE, account="systemd", parameter="port", value="9090", shown="install.sh birds 9090")
