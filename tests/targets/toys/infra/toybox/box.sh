#!/bin/sh
# A box of toys: sh box.sh NAME put FOLDER | url | log | status | remove. TOYBOX: the box; TOYBOX_URL: where it answers, if it does.
set -eu
name=$1
verb=$2
box=${TOYBOX:?}
case $verb in
put)
    rm -rf "${box:?}/$name"
    mkdir -p "$box"
    cp -R "$3" "$box/$name"
    echo "put $name" >>"$box/log"
    ;;
url) echo "${TOYBOX_URL:-}" ;;
log) cat "$box/log" ;;
status) test -d "$box/$name" && echo "$name is in the box" ;;
remove) rm -rf "${box:?}/$name" ;;
esac
