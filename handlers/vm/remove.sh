#!/bin/sh
# Removes a model's service and all of its releases from this machine; run it as root:
#
#   sh /opt/flyweight/NAME/current/remove.sh NAME
#
# What services of other models use stays: the units and the journal's limits. ROOT is as in install.sh.
set -eux

name=$1
home=$(dirname "$(readlink -f "$(dirname "$0")")")
systemctl disable --now "flyweight@$name.socket"
systemctl stop "flyweight@$name.service"
site=${ROOT:-}/etc/nginx/conf.d/flyweight-$name.conf
if [ -e "$site" ]; then
  rm "$site"
  systemctl reload nginx.service
fi
units=${ROOT:-}/etc/systemd/system
rm -rf "$units/flyweight@$name.socket.d" "$units/flyweight@$name.service.d" "${ROOT:-}/var/cache/private/flyweight/$name"
rm -f "${ROOT:-}/etc/flyweight/$name.env"
systemctl daemon-reload
rm -rf "$home"
