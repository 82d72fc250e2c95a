#!/bin/sh
# check_mysql.sh DATABASE PEER: succeeds when the local server answers a query in time.
NAME=check
. "$(dirname "$0")/common.sh"

LIMIT=0.8 here "SELECT 1" >/dev/null && exit 0
echo "no answer from the server on 127.0.0.1:3306 within 0.8 s" >&2
exit 1
