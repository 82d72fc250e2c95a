#!/usr/bin/python3
"""flood.py INTERFACE KIND COUNT TARGET: COUNT whole frames as fast as they go, all claiming priority 254, none of which may be believed.

KIND is vrid (a virtual router nobody has), length (too many addresses announced for the bytes that follow, virtual router 51), source
(virtual router 52 in unicast to TARGET, from a stranger) or storm (virtual router 51, right in everything but that its priority is 1).
"""
import socket
import struct
import sys
import time

interface, kind, count, target = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
GROUP, STRANGER = "224.0.0.18", "192.168.11.66"
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((interface, 0))
own = wire.getsockname()[4]


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advert(vrid, to, priority=254, announced=1):
    body = socket.inet_aton("192.168.11.%d" % vrid)
    head = struct.pack("!BBBBH", 0x31, vrid, priority, announced, 20)
    pseudo = socket.inet_aton(STRANGER) + socket.inet_aton(to) + struct.pack("!HH", 112, 12)
    message = head + struct.pack("!H", checksum(pseudo + head + b"\0\0" + body)) + body
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0xC0, 32, 1, 0, 255, 112, 0, socket.inet_aton(STRANGER), socket.inet_aton(to))
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + message


def mac_of(address):
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.sendto(b"", (address, 9))
    for _ in range(200):
        time.sleep(0.01)
        for line in open("/proc/net/arp"):
            words = line.split()
            if words[0] == address and words[3] != "00:00:00:00:00:00":
                return bytes.fromhex(words[3].replace(":", ""))
    raise SystemExit("no answer from " + address)


group = bytes.fromhex("01005e000012")
frame = {
    "vrid": lambda: group + own + b"\x08\x00" + advert(99, GROUP),
    "length": lambda: group + own + b"\x08\x00" + advert(51, GROUP, announced=9),
    "source": lambda: mac_of(target) + own + b"\x08\x00" + advert(52, target),
    "storm": lambda: group + own + b"\x08\x00" + advert(51, GROUP, priority=1),
}[kind]()
for _ in range(count):
    wire.send(frame)
print(count)
