#!/usr/bin/python3
"""checkMySQL.py -h HOST -P PORT: exit 0 when the server answers SELECT 1 within two seconds.

Credentials come from checkMySQL.cnf beside this file, in the form of my.cnf, mode 0600.
"""
import os
import subprocess
import sys


def main(arguments):
    options = dict(zip(arguments[::2], arguments[1::2]))
    credentials = os.path.join(os.path.dirname(os.path.abspath(__file__)), "checkMySQL.cnf")
    command = [
        "mariadb",
        "--defaults-file=" + credentials,
        "--connect-timeout=2",
        "-h", options.get("-h", "127.0.0.1"),
        "-P", options.get("-P", "3306"),
        "-NBe", "SELECT 1",
    ]
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, timeout=2).returncode
    except (OSError, subprocess.TimeoutExpired) as problem:
        print(problem, file=sys.stderr)
        return 1


sys.exit(main(sys.argv[1:]))
