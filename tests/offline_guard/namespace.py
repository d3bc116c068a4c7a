"""Runs a command in a network namespace of its own, and counts what it asks and where it goes: native code too.

    unshare -rnm python namespace.py RESULT.json COMMAND …

In the namespace every address of the world leads back to this machine, the only resolver answers every name, and every packet is
seen (AF_PACKET): a name looked up is a question; the first packet of a connection, and any datagram, to an address that is not
this machine's own, is a connection. So nothing is missed for want of a route or an answer. RESULT.json says what was counted
and how the command ended. Exit code 3 with a sentence: this system does not allow it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

OURS, RESOLVER, ANYBODY = "192.0.2.2", "192.0.2.53", "198.51.100.7"  # kept for documentation (RFC 5737)
_BIND, _PRIVATE, _RECURSIVE = 0x1000, 0x40000, 0x4000  # MS_* of mount(2)
_TCP, _UDP, _SYN, _ACK = 6, 17, 0x02, 0x10


@dataclass
class Counted:
    """What left, or would have.

    Attributes:
        questions: names that were looked up.
        connections: "tcp ADDRESS:PORT" and "udp ADDRESS:PORT".
    """

    questions: list[str] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)
    returncode: int = -1


def main(argv: list[str]) -> int:
    result, command = Path(argv[0]), argv[1:]
    try:
        _lead_everything_here()
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # type: ignore[attr-defined]
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        resolver.bind((RESOLVER, 53))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"this system does not allow it: {error}", file=sys.stderr)
        return 3
    counted, over = Counted(), threading.Event()
    threading.Thread(target=_answer, args=(resolver,), daemon=True).start()
    watcher = threading.Thread(target=_watch, args=(sniffer, counted, over))
    watcher.start()
    counted.returncode = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    over.set()
    watcher.join()
    result.write_text(json.dumps(asdict(counted)), encoding="utf-8")
    return 0


def _lead_everything_here() -> None:
    """Every route ends here, and names are asked of our own resolver alone: a daemon of this machine would ask in our place."""
    ip = shutil.which("ip") or shutil.which("ip", path="/sbin:/usr/sbin")
    if ip is None:
        raise OSError("it has no program ip (iproute2)")
    for words in ("link set lo up", f"addr add {OURS}/32 dev lo", f"addr add {RESOLVER}/32 dev lo",
                  f"route add local 0.0.0.0/0 dev lo src {OURS}"):  # fmt: skip
        subprocess.run([ip, *words.split()], check=True, capture_output=True)
    for words in ("-6 addr add 2001:db8::2/128 dev lo", "-6 route add local ::/0 dev lo"):  # where there is an IPv6
        subprocess.run([ip, *words.split()], check=False, capture_output=True)
    libc = ctypes.CDLL(None, use_errno=True)
    folder = Path(tempfile.mkdtemp(prefix="earwitness-test-"))
    (folder / "resolv.conf").write_text(f"nameserver {RESOLVER}\noptions timeout:2 attempts:1\n")
    (folder / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    (folder / "none").mkdir()
    _mounted(libc, None, "/", _PRIVATE | _RECURSIVE)
    for name in ("resolv.conf", "nsswitch.conf"):
        if not Path("/etc", name).exists():
            raise OSError(f"it has no /etc/{name} to put another in place of")
        _mounted(libc, str(folder / name), f"/etc/{name}", _BIND)
    for daemon in ("/run/nscd", "/var/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon"):
        if Path(daemon).is_dir():
            _mounted(libc, str(folder / "none"), daemon, _BIND)


def _mounted(libc: ctypes.CDLL, source: str | None, target: str, flags: int) -> None:
    if libc.mount(source and source.encode(), os.path.realpath(target).encode(), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"{target} cannot be mounted over")


def _watch(sniffer: socket.socket, counted: Counted, over: threading.Event) -> None:
    sniffer.settimeout(0.2)
    while True:
        try:
            frame, origin = sniffer.recvfrom(65535)
        except TimeoutError:
            if over.is_set():  # and nothing is left to be read
                return
            continue
        if origin[2] != 4:  # PACKET_OUTGOING: each is seen as it goes and as it comes
            with contextlib.suppress(struct.error, IndexError, ValueError):
                _count(frame[14:], counted)


def _count(packet: bytes, counted: Counted) -> None:
    target: IPv4Address | IPv6Address
    if packet[0] >> 4 == 4:
        protocol, target, inner = packet[9], IPv4Address(packet[16:20]), packet[(packet[0] & 15) * 4 :]
    else:
        protocol, target, inner = packet[6], IPv6Address(packet[24:40]), packet[40:]
    if protocol not in (_TCP, _UDP):
        return
    source_port, port = struct.unpack("!HH", inner[:4])
    begins = protocol == _UDP or inner[13] & (_SYN | _ACK) == _SYN
    if not begins or (protocol == _UDP and source_port == 53):
        return
    if port == 53:
        counted.questions.append(_name(inner[8:]) if protocol == _UDP else f"by tcp, of {target}")
    elif not target.is_loopback:
        counted.connections.append(f"{'tcp' if protocol == _TCP else 'udp'} {ip_address(target)}:{port}")


def _name(question: bytes) -> str:
    """The name that a DNS message asks for (RFC 1035, section 4.1.2)."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1"))
        at += 1 + question[at]
    return ".".join(labels)


def _answer(resolver: socket.socket) -> None:
    """Every name is somebody's address, so that whoever asked goes on to connect."""
    while True:
        question, whose = resolver.recvfrom(2048)
        with contextlib.suppress(IndexError, OSError, struct.error):
            end = question.index(b"\0", 12) + 5
            wants_v4 = question[end - 4 : end - 2] == b"\0\1"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(ANYBODY) if wants_v4 else b""
            head = question[:2] + b"\x81\x80" + question[4:6] + struct.pack("!HHH", bool(wants_v4), 0, 0)
            resolver.sendto(head + question[12:end] + record, whose)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
