#!/usr/bin/python3
"""answer_probe.py INTERFACE ADDRESS INTERVAL_MS: pings an address again and again, and says which host answers.

Reads "go" and "rest" on standard input and probes in between. One line whenever another host begins to answer, when the
same one answers after a silence of more than four intervals, and ten times a second otherwise:
"<unix time in ms> <mac> <silence before it in ms> <ttl>". Hosts that share a virtual MAC are told apart by the TTL of
their answers (net.ipv4.ip_default_ttl). Times are the kernel's, taken when the answer arrived
(SO_TIMESTAMPNS). The answer is the kernel's own echo reply, so no program on the answering host is part of the figure.
"""
import ctypes
import os
import select
import socket
import struct
import sys
import time

SO_TIMESTAMPNS = 35
ICMP_FILTER = 1
PR_SET_TIMERSLACK = 29
ETH_P_IP = 0x0800


def main(interface, address, interval_ms):
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError:
        pass  # An ordinary user's lab: the probes are then as punctual as any other program.
    sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sender.setsockopt(255, ICMP_FILTER, struct.pack("I", 0xFFFFFFFF))
    ears = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
    ears.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    ears.bind((interface, ETH_P_IP))
    ears.setblocking(False)
    print("ready", flush=True)
    probing = False
    while True:
        if probing:
            probing = probe(sender, ears, (address, interval_ms / 1000))
        elif sys.stdin.readline().strip() == "go":
            probing = True
        else:
            return


def probe(sender, ears, plan):
    """Until a line comes on standard input; true means that probing goes on."""
    address, interval = plan
    request = echo_request()
    wanted = socket.inet_aton(address)
    poller = select.poll()
    poller.register(ears, select.POLLIN)
    poller.register(sys.stdin, select.POLLIN)
    report = Report(4 * interval * 1000)
    drain(ears, wanted, None)
    due = time.monotonic()
    while True:
        try:
            sender.sendto(request, (address, 0))
        except OSError:
            pass  # Nobody may hold the address for a while.
        due = max(due + interval, time.monotonic() - 5 * interval)
        while True:
            left = due - time.monotonic()
            if left <= 0:
                break
            for descriptor, _ in poll_for(poller, left):
                if descriptor == ears.fileno():
                    drain(ears, wanted, report)
                else:
                    return sys.stdin.readline().strip() == "go"


def poll_for(poller, seconds):
    """poll(2) counts milliseconds; the rest is slept, and answers keep the kernel's own time meanwhile."""
    if seconds >= 0.001:
        return poller.poll(int(seconds * 1000))
    time.sleep(seconds)
    return poller.poll(0)


def drain(ears, wanted, report):
    while True:
        try:
            frame, ancillary, _, _ = ears.recvmsg(128, 64)
        except BlockingIOError:
            return
        # IPv4 without options, ICMP echo reply from the address.
        if report is None or frame[14] != 0x45 or frame[23] != 1 or frame[34] != 0 or frame[26:30] != wanted:
            continue
        for _, kind, data in ancillary:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("qq", data[:16])
                report.answer(seconds * 1000 + nanoseconds / 1e6, (frame[6:12], frame[22]))


class Report:
    def __init__(self, silence):
        self.silence = silence
        self.host = None
        self.at = 0
        self.told = 0

    def answer(self, at, host):
        gap = at - self.at if self.at else 0
        if host != self.host or gap > self.silence or at - self.told > 100:
            mac = ":".join("%02x" % byte for byte in host[0])
            print("%.4f %s %.4f %d" % (at, mac, gap, host[1]), flush=True)
            self.told = at
        self.host = host
        self.at = at


def echo_request():
    body = struct.pack("!BBHHH", 8, 0, 0, os.getpid() & 0xFFFF, 1)
    total = sum(struct.unpack("!4H", body))
    total = (total & 0xFFFF) + (total >> 16)
    return body[:2] + struct.pack("!H", ~total & 0xFFFF) + body[4:]


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
