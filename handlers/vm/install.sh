#!/bin/sh
# Makes the release in this folder live on this machine; run it as root, here as in cloud-init:
#
#   sh /opt/flyweight/NAME/RELEASE/install.sh NAME [ADDRESS [DOMAIN]]
#
# ADDRESS  where the service listens       - is where it did, at first 127.0.0.1:8080; behind a load balancer 8080, every address
# DOMAIN   the name that nginx answers to  none: nginx is left alone
#
# The link `current` leads to the live release and `previous` to the one before. A release that does not answer its own sample is
# taken back. ROOT is put before each path outside the release that is written, for a test or an image.
set -eux

name=$1 address=${2:--} domain=${3:-}
release=$(cd "$(dirname "$0")" && pwd)
home=$(dirname "$release")
units=${ROOT:-}/etc/systemd/system
journal=${ROOT:-}/etc/systemd/journald.conf.d
listen=$units/flyweight@$name.socket.d/address.conf
if [ "$address" = - ]; then
  address=$(sed -n 's/^ListenStream=\(..*\)$/\1/p' "$listen" 2>/dev/null || true)
  address=${address:-127.0.0.1:8080}
fi

chmod -R a+rX "$home" # the service's user is nobody's

# packages in the folder are for one Python
python3 -c '
import json, sys
made, here = json.load(open(sys.argv[1])), "{}.{}".format(*sys.version_info)
if sys.version_info < (3, 11) or made["arch"] and made["runtime"] != here:
    sys.exit("this machine has Python " + here + "; build the folder for it, from 3.11 on: flyweight build vm --python " + here)
' "$release/flyweight.json"

# units; the socket is opened anew only if its address is another
mkdir -p "$units/flyweight@$name.socket.d" "$units/flyweight@$name.service.d" "${ROOT:-}/etc/flyweight" "$journal"
cp "$release/flyweight@.service" "$release/flyweight@.socket" "$units/"
if ! grep -qsx "ListenStream=$address" "$listen"; then
  printf '[Socket]\nListenStream=\nListenStream=%s\n' "$address" >"$listen"
  systemctl stop "flyweight@$name.service" "flyweight@$name.socket"
fi

# a service without a network of its own, unless its model comes from a store
if [ -e "$release/model.address" ] || grep -qs '://' "${ROOT:-}/etc/flyweight/$name.env"; then
  cp "$release/network.conf" "$units/flyweight@$name.service.d/network.conf"
else
  rm -f "$units/flyweight@$name.service.d/network.conf"
fi

# how much the journal keeps
if ! cmp -s "$release/journald.conf" "$journal/flyweight.conf"; then
  cp "$release/journald.conf" "$journal/flyweight.conf"
  systemctl restart systemd-journald.service
fi

# the release
before=$(readlink "$home/current" || true)
go() {
  ln -sfn "$1" "$home/next"
  mv -T "$home/next" "$home/current"
  systemctl restart "flyweight@$name.service" && python3 -c "$ready" "$address"
}
ready='import sys, urllib.request
port = sys.argv[1].rpartition(":")[2]
urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=60)'
systemctl daemon-reload
systemctl enable --now "flyweight@$name.socket"
if ! go "$(basename "$release")"; then
  if [ -n "$before" ]; then go "$before"; fi
  exit 1
fi
if [ -n "$domain" ]; then echo "https://$domain"; else echo "http://$address"; fi >"$home/url"
if [ -n "$before" ] && [ "$before" != "$(basename "$release")" ]; then
  ln -sfn "$before" "$home/previous"
fi

# five releases are kept, and those that the links lead to
# shellcheck disable=SC2010 # the newest first; names are digits alone
ls -1t "$home" | grep -Ex '[0-9a-f]{64}' | tail -n +6 | while read -r old; do
  case $old in
    "$(readlink "$home/current")" | "$(readlink "$home/previous")") ;;
    *) rm -rf "${home:?}/$old" ;;
  esac
done

# the proxy, with the certificate in /etc/flyweight
if [ -n "$domain" ]; then
  site=${ROOT:-}/etc/nginx/conf.d/flyweight-$name.conf
  mkdir -p "$(dirname "$site")"
  sed -e "s/models.example.com/$domain/" -e "s/127.0.0.1:8080/127.0.0.1:${address##*:}/" -e "s/flyweight-model/flyweight-$name/" \
    "$release/nginx.conf" >"$site"
  nginx -t
  systemctl reload nginx.service
fi
