#!/bin/sh
# Asks the installed keepalived for its verdict on each case, on a main file that is missing and on a directory in its
# place: prints "NAME EXIT" per line. Runs in private network, mount and pid namespaces (keepalived's config test signals
# its process group when it ends early), with two interfaces eth0 and eth1 and an empty /run, so the machine is not touched.
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
  ask() {
    code=0
    echo "== $1" >>"$3"
    timeout 20 setsid -w keepalived -t -p /run/p -r /run/r -c /run/c -b /run/b -f "$2" >>"$3" 2>&1 || code=$?
    echo "$1 $code"
  }
  for file in "$1"/*.conf; do ask "$(basename "$file" .conf)" "$file" "$2"; done
  ask main-missing "$1/main-missing.conf" "$2"
  ask main-directory "$1" "$2"
' ask-keepalived "$cases" "$log"
