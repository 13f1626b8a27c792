#!/bin/sh
# Removes a model's agent and all of its releases from this device; run it as root:
#
#   sh /opt/flyweight-edge/NAME/current/remove.sh NAME
#
# Answers that were not forwarded stay, with the pulled models, in /var/lib/private/flyweight-edge/NAME. ROOT is as in install.sh.
set -eux

name=$1
home=$(dirname "$(readlink -f "$(dirname "$0")")")
systemctl disable --now "flyweight-edge@$name.service"
rm -rf "${ROOT:-}/etc/systemd/system/flyweight-edge@$name.service.d"
rm -f "${ROOT:-}/etc/flyweight/$name.env"
systemctl daemon-reload
rm -rf "$home"
