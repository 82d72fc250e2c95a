#!/bin/sh
# notify_master of the usual pair, without the sleeps that it is handed round with: they would cost ten seconds.
redis-cli -h 127.0.0.1 -p 6379 SLAVEOF NO ONE
