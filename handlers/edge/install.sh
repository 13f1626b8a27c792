#!/bin/sh
# Makes the release in this folder live on this device; run it as root:
#
#   sh /opt/flyweight-edge/NAME/RELEASE/install.sh NAME [PORT]
#
# The agent listens on 127.0.0.1:PORT, 8080 unless another was given before. The link `current` leads to the live release and
# `previous` to the one before. A release that does not answer its own sample is taken back. Models and answers stay where they are,
# in /var/lib/flyweight-edge/NAME. ROOT is put before each path outside the release that is written, for a test or an image.
set -eux

name=$1 port=${2:-}
release=$(cd "$(dirname "$0")" && pwd)
home=$(dirname "$release")
units=${ROOT:-}/etc/systemd/system
extra=$units/flyweight-edge@$name.service.d/port.conf
unit=flyweight-edge@$name.service
if [ -z "$port" ]; then
  port=$(sed -n 's/^Environment=FLYWEIGHT_PORT=\(..*\)$/\1/p' "$extra" 2>/dev/null || true)
fi
port=${port:-8080}

chmod -R a+rX "$home" # the service's user is nobody's

# packages in the folder are for one Python
python3 -c '
import json, sys
made, here = json.load(open(sys.argv[1])), "{}.{}".format(*sys.version_info)
if sys.version_info < (3, 11) or made["arch"] and made["runtime"] != here:
    sys.exit("this device has Python " + here + "; build the folder for it, from 3.11 on: flyweight build edge --python " + here)
' "$release/flyweight.json"

mkdir -p "$units/$unit.d" "${ROOT:-}/etc/flyweight"
cp "$release/flyweight-edge@.service" "$units/"
printf '[Service]\nEnvironment=FLYWEIGHT_PORT=%s\nSocketBindAllow=ipv4:tcp:%s\n' "$port" "$port" >"$extra"

before=$(readlink "$home/current" || true)
go() {
  ln -sfn "$1" "$home/next"
  mv -T "$home/next" "$home/current"
  systemctl restart "$unit" && python3 -c "$ready" "http://127.0.0.1:$port$path"
}
# a folder without a model is live before it has pulled one
path=/ready
if [ -e "$release/model.address" ]; then path=/health; fi
ready='import sys, time, urllib.error, urllib.request
until = time.monotonic() + 60
while True:
    try:
        sys.exit(urllib.request.urlopen(sys.argv[1], timeout=60).status != 200)
    except urllib.error.HTTPError as error:
        sys.exit(f"{sys.argv[1]} answers {error.code}")
    except OSError as error:
        if time.monotonic() > until:
            sys.exit(f"{sys.argv[1]}: {error}")
        time.sleep(0.1)'
systemctl daemon-reload
systemctl enable "$unit"
if ! go "$(basename "$release")"; then
  if [ -n "$before" ]; then go "$before"; fi
  exit 1
fi
echo "http://127.0.0.1:$port" >"$home/url"
if [ -n "$before" ] && [ "$before" != "$(basename "$release")" ]; then
  ln -sfn "$before" "$home/previous"
fi

# three releases are kept, and those that the links lead to
# shellcheck disable=SC2010 # the newest first; names are digits alone
ls -1t "$home" | grep -Ex '[0-9a-f]{64}' | tail -n +4 | while read -r old; do
  case $old in
    "$(readlink "$home/current")" | "$(readlink "$home/previous")") ;;
    *) rm -rf "${home:?}/$old" ;;
  esac
done
