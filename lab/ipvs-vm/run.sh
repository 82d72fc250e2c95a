#!/bin/bash
# Runs a command in a throw-away virtual machine whose kernel has IPVS.
#
#   lab/ipvs-vm/run.sh [options] -- COMMAND [ARG...]
#
# The guest sees the host's whole file system, read-only, with memory on top: what the command writes is gone afterwards. The command
# runs as root in the caller's folder with the caller's environment; output is passed on as it comes, so is the exit status.
# The guest has no network but its loopback and what the command makes.
#
#   --backend auto|uml|qemu  auto (default): User Mode Linux; where it does not start, QEMU
#   --rw FOLDER              a folder of the host that the command may write to (repeatable)
#   --memory MIB             the guest's memory (2048)
#   --timeout SECONDS        ends the machine: status 124
#   --modules LIST           further kernel modules
#   --verbose                the guest kernel's messages as well
#
# Exit status: the command's own; 124 timed out; 125 the machine itself failed, and the messages say why.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
backend=auto memory=2048 limit=0 verbose= writable=() more_modules=
modules="ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_lblc ip_vs_lblcr ip_vs_dh ip_vs_sh ip_vs_sed ip_vs_nq ip_vs_mh ip_vs_fo ip_vs_ovf ip_vs_pe_sip veth ipip"

say() { printf 'ipvs-vm: %s\n' "$*" >&2; }
fail() { say "$*"; exit 125; }

while [ $# -gt 0 ]; do
  case $1 in
    --backend) backend=$2; shift 2 ;;
    --rw) writable+=("$(realpath -e -- "$2")"); shift 2 ;;
    --memory) memory=$2; shift 2 ;;
    --timeout) limit=$2; shift 2 ;;
    --modules) more_modules=$2; shift 2 ;;
    --verbose) verbose=1; shift ;;
    -h | --help) sed -n '2,/^set -euo/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
    --) shift; break ;;
    *) fail "unknown option $1 (see --help)" ;;
  esac
done
case $backend in auto) order=(uml qemu) ;; uml | qemu) order=("$backend") ;; *) fail "--backend is auto, uml or qemu" ;; esac
[ $# -gt 0 ] || fail "no command given (see --help)"

run= launched=
cleanup() {
  [ -z "$launched" ] || kill -KILL "$launched" 2>/dev/null || true
  [ -z "$run" ] || rm -rf "$run"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

quote() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

write_orders() { # PARTS OUT ERR COMMAND...: a script with every word quoted, in the caller's folder and environment
  local parts=$1 out=$2 err=$3 word
  shift 3
  {
    echo "cd $(quote "$PWD") || cd /"
    printf 'exec /usr/bin/env -i'
    while IFS= read -r -d '' word; do printf ' %s' "$(quote "$word")"; done < <(env -0)
    printf ' HOLDFAST_IPVS_VM=1'
    for word; do printf ' %s' "$(quote "$word")"; done
    echo
  } >"$run/command"
  {
    echo "backend=$be out=$out err=$err parts=$(quote "$parts")"
    echo "modules=$(quote "$modules $more_modules$([ "$be" != uml ] || echo ' ipv6')")"
    printf 'set --'
    for word in ${writable[@]+"${writable[@]}"}; do printf ' %s' "$(quote "$word")"; done
    echo
  } >"$run/config"
  cp "$here/guest-init.sh" "$run/init"
}

start_watch() { # the process that ends the machine when its time is over
  [ "$limit" != 0 ] || return 0
  (
    trap 'kill $sleeper 2>/dev/null' TERM
    sleep "$limit" >/dev/null 2>&1 </dev/null &
    sleeper=$!
    wait $sleeper && { : >"$run/timed-out"; kill -KILL "$launched"; }
  ) 2>/dev/null &
  watch=$!
}

boot() { # COMMAND...: 0 with $status set once the guest has run the command
  local parts out=/dev/tty0 err=/dev/tty1 namespaces=() cat1 cat2 code=0 watch=
  parts=$("$here/unpack.sh" "$be") || return 1
  [ "$be" = uml ] || { out=/dev/ttyS1 err=/dev/ttyS2; }
  run=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-vm.XXXXXXXX")
  write_orders "$parts" $out $err "$@"
  mkfifo "$run/out" "$run/err"
  cat <"$run/out" & cat1=$!
  cat <"$run/err" >&2 & cat2=$!
  if [ -n "$verbose" ]; then mkfifo "$run/kernel.log"; cat <"$run/kernel.log" >&2 & else : >"$run/kernel.log"; fi

  # Process, mount and network namespaces of its own: everything ends with the machine, and the host's root is read-only for it.
  if [ "$(id -u)" = 0 ]; then namespaces=(unshare -mpnf --kill-child=KILL)
  elif unshare -rmpn true 2>/dev/null; then namespaces=(unshare -rmpnf --kill-child=KILL); fi
  ${namespaces[@]+"${namespaces[@]}"} bash "$here/launch.sh" "$be" "$parts" "$run" "$memory" "$((${#namespaces[@]} > 0))" ${writable[@]+"${writable[@]}"} \
    </dev/null 3>"$run/out" 4>"$run/err" 5>"$run/kernel.log" >"$run/launch.log" 2>&1 &
  launched=$!
  start_watch
  wait "$launched" 2>/dev/null || code=$?
  launched=
  [ -z "$watch" ] || kill "$watch" 2>/dev/null || true
  wait "$cat1" "$cat2" || true
  status=
  if [ -e "$run/timed-out" ]; then say "ended after $limit s"; status=124
  elif [ -s "$run/status" ]; then status=$(cat "$run/status"); fi
  if [ -z "$status" ]; then
    say "the $be machine reported no exit status (it ended with $code); its last messages:"
    { tail -n 15 "$run/launch.log"; [ -n "$verbose" ] || tail -n 15 "$run/kernel.log"; } | sed 's/^/  | /' >&2
    [ ! -e "$run/started" ] || status=125 # the command had begun: never run it twice
  fi
  rm -rf "$run"
  run=
  [ -n "$status" ]
}

for be in "${order[@]}"; do
  if boot "$@"; then exit "$status"; fi
done
exit 125
