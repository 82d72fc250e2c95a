#!/usr/bin/python3
"""hostile_adverts.py INTERFACE ROUNDS SEED OWN_ADDRESS...: sends adverts that nobody may believe, whole frames of our own making.

One round has one packet of every wrong kind for each virtual router, for each target address, and some noise. All claim
priority 254, so believing one of them would end a master. Virtual routers: 51 (version 2, PASS 1111), 52 (version 3),
53 (version 3, unicast with check_unicast_src). Prints the number of frames at the end.
"""
import random
import socket
import struct
import sys
import time

interface, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
targets = sys.argv[4:]
random.seed(seed)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((interface, 0))
mac = wire.getsockname()[4]
GROUP = "224.0.0.18"
STRANGER = "192.168.11.66"
GROUP_MAC = bytes.fromhex("01005e000012")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(message, source=STRANGER, to=GROUP, ttl=255, length=None, first=0x45, fragment=0, options=b""):
    total = 20 + len(options) + len(message) if length is None else length
    head = struct.pack("!BBHHHBBH4s4s", first, 0xC0, total, random.randrange(65536), fragment, ttl, 112, 0,
                       socket.inet_aton(source), socket.inet_aton(to)) + options
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return head + message


def v2(vrid=51, version=2, kind=1, priority=254, count=1, auth=1, interval=1, vips=("192.168.11.51",), word=b"1111", sum_=None):
    body = b"".join(socket.inet_aton(vip) for vip in vips) + word.ljust(8, b"\0")[:8]
    head = struct.pack("!BBBBBB", version << 4 | kind, vrid, priority, count, auth, interval)
    right = checksum(head + b"\0\0" + body)
    return head + struct.pack("!H", right if sum_ is None else right ^ sum_) + body


def v3(vrid=52, version=3, kind=1, priority=254, count=1, interval=50, vips=("192.168.11.52",), source=STRANGER, to=GROUP, sum_=None):
    body = b"".join(socket.inet_aton(vip) for vip in vips)
    head = struct.pack("!BBBBH", version << 4 | kind, vrid, priority, count, interval)
    whole = head + b"\0\0" + body
    pseudo = socket.inet_aton(source) + socket.inet_aton(to) + struct.pack("!HH", 112, len(whole))
    right = checksum(pseudo + whole)
    return head + struct.pack("!H", right if sum_ is None else right ^ sum_) + body


def wrong_v2():
    yield packet(v2(), ttl=random.randrange(255))
    yield packet(v2(version=random.choice([0, 1, 4, 5, 15])))
    yield packet(v3(vrid=51))
    yield packet(v2(kind=random.choice([0, 2, 3, 15])))
    yield packet(v2(sum_=random.randrange(1, 0xFFFF)))
    yield packet(v2(auth=random.choice([0, 2, 3, 255])))
    yield packet(v2(word=random.choice([b"1112", b"", b"11111111", b"11110000"])))
    yield packet(v2(interval=random.choice([0, 2, 60, 255])))
    yield packet(v2(count=random.choice([0, 2, 20, 255])))
    yield packet(v2()[: random.randrange(3, 20)])
    yield packet(v2() + b"\0" * random.choice([1, 4, 1400]))
    # Another address list is noticed but obeyed: priority 1 changes nothing.
    yield packet(v2(priority=1, vips=("10.1.2.3",)))


def wrong_v3():
    yield packet(v3(), ttl=random.randrange(255))
    yield packet(v3(version=random.choice([0, 1, 4, 7, 15])))
    yield packet(v2(vrid=52))
    yield packet(v3(kind=random.choice([0, 2, 8, 15])))
    yield packet(v3(sum_=random.randrange(1, 0xFFFF)))
    yield packet(v3(interval=0))
    yield packet(v3(count=random.choice([0, 3, 255])))
    yield packet(v3()[: random.randrange(3, 12)])
    yield packet(v3() + b"\xff" * random.choice([2, 4, 1400]))
    yield packet(v3(), length=random.choice([20, 24, 27]))
    yield packet(v3(), first=0x45, fragment=0x2000)
    yield packet(v3(source="1.2.3.4"), options=b"\x01" * 3 + b"\0", first=0x46)


def wrong_for(target):
    """Per host: from its own address, to the host instead of the group, from nobody's peer."""
    yield packet(v2(), source=target)
    yield packet(v3(source=target), source=target)
    yield packet(v2(), to=target)
    yield packet(v3(to=target), to=target)
    yield packet(v3(vrid=53, to=target, vips=("192.168.11.53",)), to=target)
    yield packet(v3(vrid=53, vips=("192.168.11.53",)))


def noise():
    yield packet(random.randbytes(random.randrange(0, 1480)))
    yield packet(bytes([random.choice([0x21, 0x31]), random.choice([51, 52, 53])]) + random.randbytes(random.randrange(0, 200)))
    damaged = bytearray(v3())
    for _ in range(random.randrange(1, 6)):
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    # An even number of equal flips may leave the sum right; version 0 is wrong whatever else is.
    damaged[0] &= 0x0F
    yield packet(bytes(damaged))
    other = random.choice([vrid for vrid in range(256) if vrid not in (51, 52, 53)])
    yield packet(v3(vrid=other))


def unicast_mac(target):
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.sendto(b"", (target, 9))
    for _ in range(200):
        time.sleep(0.01)
        for line in open("/proc/net/arp"):
            words = line.split()
            if words[0] == target and words[3] != "00:00:00:00:00:00":
                return bytes.fromhex(words[3].replace(":", ""))
    raise SystemExit("no answer from " + target)


macs = {target: unicast_mac(target) for target in targets}
sent = 0
for _ in range(rounds):
    frames = [(GROUP_MAC, data) for make in (wrong_v2, wrong_v3, noise) for data in make()]
    for target in targets:
        # To this host alone: for the other one its neighbour's address would be right.
        frames += [(macs[target], data) for data in wrong_for(target)]
    random.shuffle(frames)
    for to, data in frames:
        wire.send(to + mac + b"\x08\x00" + data)
        sent += 1
    time.sleep(0.004)
print(sent)
