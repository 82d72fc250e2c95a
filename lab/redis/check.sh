#!/bin/sh
# The check that Redis pairs under keepalived have: alive is who answers PONG within a second.
[ "$(timeout 1 redis-cli -h 127.0.0.1 -p 6379 PING 2>/dev/null)" = PONG ]
