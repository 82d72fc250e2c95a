#!/bin/bash
# In place of systemctl and journalctl on hosts of the lab, which have no systemd: runs what ExecStart of the installed unit says.
# systemctl [enable|disable --now | start | stop | restart | reload | kill -s SIGNAL] UNIT; journalctl -u UNIT [...]: its output
shopt -s extglob
state=/run/units
mkdir -p "$state" /run/mysqld

unit_file() {
    for place in /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
        [ -f "$place/$1.service" ] && echo "$place/$1.service" && return
    done
    echo "Unit $1.service not found." >&2
    exit 5
}

running() { [ -f "$state/$1.pid" ] && kill -0 "$(cat "$state/$1.pid")" 2>/dev/null; }

start_unit() {
    running "$1" && return
    local file line words
    file=$(unit_file "$1") || exit 5
    line=$(sed -n 's/^ExecStart=//p' "$file" | head -1)
    read -ra words <<<"$line"
    local argv=()
    for word in "${words[@]}"; do case $word in \$*) ;; *) argv+=("$word") ;; esac done
    [ "$1" = mariadb ] && argv+=(--user=root)
    : >>"$state/$1.log"
    JOURNAL_STREAM=$(stat -c %d:%i "$state/$1.log") \
        setsid --fork bash -c 'echo $$ >"$0"; exec "$@"' "$state/$1.pid" "${argv[@]}" </dev/null >>"$state/$1.log" 2>&1
    # Ready as Type=notify means it: the service answers.
    for _ in $(seq 600); do
        sleep 0.05
        running "$1" || continue
        case $1 in
        mariadb) mariadb-admin --connect-timeout=1 ping ;;
        holdfast) holdfast status --json ;;
        redis-server) [ "$(redis-cli ping 2>&1 | grep -c 'PONG\|NOAUTH')" = 1 ] ;;
        esac >/dev/null 2>&1 && return
    done
    echo "Job for $1.service failed." >&2
    tail -5 "$state/$1.log" >&2
    exit 1
}

stop_unit() {
    running "$1" || return 0
    local pid
    pid=$(cat "$state/$1.pid")
    kill -TERM "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}

if [ "${0##*/}" = journalctl ]; then
    while [ "$1" != -u ]; do shift; done
    sed 's/^<[0-9]>//' "$state/$2.log"
    exit
fi
verb=$1
shift
signal=TERM
while :; do
    case $1 in
    --now) shift ;;
    -s) signal=$2 && shift 2 ;;
    *) break ;;
    esac
done
for unit in "$@"; do
    case $verb in
    start | enable) start_unit "$unit" ;;
    stop | disable) stop_unit "$unit" ;;
    restart) stop_unit "$unit" && start_unit "$unit" ;;
    reload) kill -HUP "$(cat "$state/$unit.pid")" ;;
    kill) kill -s "$signal" "$(cat "$state/$unit.pid")" $(pgrep -P "$(cat "$state/$unit.pid")") && sleep 0.1 ;;
    *) echo "systemctl $verb: not in the lab" >&2 && exit 1 ;;
    esac
done
