#!/bin/sh
# notify_backup PEER of the usual pair: follow the other one, whatever it has.
redis-cli -h 127.0.0.1 -p 6379 SLAVEOF "$1" 6379
