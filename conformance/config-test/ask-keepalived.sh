#!/bin/sh
# Asks the installed keepalived for its verdict on each case: prints "NAME EXIT" per line. Runs in private network,
# mount and pid namespaces (keepalived's config test signals its process group when it ends early), with two
# interfaces eth0 and eth1 and an empty /run, so the machine is not touched.
#   ask-keepalived.sh DIRECTORY [LOGFILE]
set -eu
cases=$(cd "$1" && pwd)
log=${2:-/dev/null}
exec unshare --mount --net --pid --fork --mount-proc --kill-child sh -eu -c '
  mount -t tmpfs none /run
  ip link set lo up
  ip link add eth0 type veth peer name eth1
  ip addr add 10.9.0.1/24 dev eth0
  ip addr add 10.8.0.1/24 dev eth1
  ip link set eth0 up
  ip link set eth1 up
  for file in "$1"/*.conf; do
    name=$(basename "$file" .conf)
    code=0
    echo "== $name" >>"$2"
    timeout 20 setsid -w keepalived -t -p /run/p -r /run/r -c /run/c -b /run/b -f "$file" >>"$2" 2>&1 || code=$?
    echo "$name $code"
  done
' ask-keepalived "$cases" "$log"
