#!/usr/bin/python3
"""arp_probe.py INTERFACE VIP INTERVAL_MS: asks who has the VIP, again and again, and prints who answered.

One line a probe: "<unix time in ms> <mac> [<mac> ...]", or "... -" when nobody answered. Each probe carries a sender
address of its own, and a reply names the sender it answers, so replies of one probe are never mistaken for another's.
"""
import select
import socket
import struct
import sys
import time

TAGS = 32


def main(interface, vip, interval_ms):
    probe_socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    probe_socket.bind((interface, 0x0806))
    mac = probe_socket.getsockname()[4]
    target = socket.inet_aton(vip)
    base = target[:3]
    number = 0
    pending = {}
    due = time.monotonic()
    while True:
        tag = 200 + number % TAGS
        probe = (time.time(), {})
        pending[tag] = probe
        sender = base + bytes([tag])
        arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac, sender, bytes(6), target)
        try:
            probe_socket.send(b"\xff" * 6 + mac + b"\x08\x06" + arp)
        except OSError:
            pass
        number += 1
        due += interval_ms / 1000
        collect(probe_socket, pending, target, due)
        report(pending.pop(200 + (number - 8) % TAGS, None))


def collect(probe_socket, pending, target, until):
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([probe_socket], [], [], left)[0]:
            return
        frame = probe_socket.recv(256)
        operation, source_mac, source, _, answered = struct.unpack("!H6s4s6s4s", frame[20:42])
        probe = pending.get(answered[3])
        if operation == 2 and source == target and probe is not None:
            probe[1][":".join("%02x" % byte for byte in source_mac)] = True


def report(probe):
    if probe is not None:
        print("%.1f %s" % (probe[0] * 1000, " ".join(probe[1]) or "-"), flush=True)


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
