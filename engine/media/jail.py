"""What the decoding child gives up before it sees a stranger's byte: the network, other files, other processes, and most memory.

Three fences, each put up where the system has it, none relied on alone:

- a network namespace of its own (Linux): there is no interface in it, not even loopback;
- a filter of system calls (Linux on x86-64 and 64-bit ARM): sockets, starting programs or processes, signals, tracing, and
  every call that makes, changes or removes a file are refused; threads, memory and reading go on. It is a list of what is
  refused, not of what is allowed, since C library, kernel and codecs differ from machine to machine;
- limits of memory, of files written (none) and of open files (POSIX).

The filter is a classic BPF program as seccomp(2) takes it, written down as numbers: no library is needed for it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys

FILTER, NAMESPACE, NEITHER = "filter of system calls", "network namespace of its own", "no protocol but the file"
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_THREAD = 0x10000000, 0x40000000, 0x10000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, _PR_SET_PDEATHSIG = 38, 22, 2, 1
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000  # the last one's lower half is the error number
_EPERM, _ENOSYS = 1, 38
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF: ld abs, jeq, jge, jset, ret
_CALL, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # where struct seccomp_data has them

# Numbers of system calls: the same name, x86-64 and 64-bit ARM (None where it has no such call). Newer ones are alike.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242), "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269),
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "creat": (85, None), "truncate": (76, 45), "ftruncate": (77, 46),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "unlink": (87, None), "unlinkat": (263, 35),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "link": (86, None), "linkat": (265, 37),
    "symlink": (88, None), "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "open_by_handle_at": (304, 265),
    "unshare": (272, 97), "setns": (308, 268), "setrlimit": (160, 164), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
}  # fmt: skip
# Calls whose arguments lie in memory, where a filter cannot look: the C library does without them when they seem not to be there.
_ABSENT: dict[str, tuple[int | None, int | None]] = {"clone3": (435, 435), "openat2": (437, 437)}
_BY_ARGUMENT: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None), "openat": (257, 56), "clone": (56, 220), "tgkill": (234, 131),
    "prlimit64": (302, 261),
}  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH, column of the tables above


def confine(memory_mb: int) -> str:
    """Put up the fences; returns in words how the network is cut off. Called by a process of one thread, before any library
    is loaded."""
    alone = sys.platform == "linux" and _leave_the_network()
    _limit(memory_mb)
    filtered = sys.platform == "linux" and _filter_calls()
    return " and ".join(how for how, there in ((FILTER, filtered), (NAMESPACE, alone)) if there) or NEITHER


def end_with(parent: int) -> None:
    """End this process when the thread that started it ends, however that happens (Linux); at once, when it has ended already.

    Called after the fences are up: a process whose rights change is bound to its parent no longer.

    Args:
        parent: process id of whoever started this one.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _leave_the_network() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET) == 0)


def _limit(memory_mb: int) -> None:
    try:
        import resource
    except ImportError:  # not a Unix
        return
    bounds = [(resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 64)]
    if sys.platform == "linux":
        bounds.append((resource.RLIMIT_AS, memory_mb * 1_000_000))
    for kind, limit in bounds:
        hard = resource.getrlimit(kind)[1]
        least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (least, least))


def _filter_calls() -> bool:
    machine = platform.machine() if sys.maxsize > 2**32 else ""
    if machine not in _MACHINES:
        return False
    program = filter_program(machine, os.getpid())
    held = ctypes.create_string_buffer(program, len(program))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  # without it only root may set a filter
    described = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(held))  # struct sock_fprog
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described, 0, 0) == 0)


def filter_program(machine: str, pid: int) -> bytes:
    """The filter for "x86_64" or "aarch64": struct sock_filter (code, jump if true, jump if false, constant), one after another.

    Args:
        pid: of the process it is for, the only one to which it may send a signal (as abort does).

    Source: linux/Documentation/userspace-api/seccomp_filter.rst; numbers of calls from the kernel's unistd.h.
    """
    architecture, column = _MACHINES[machine]
    numbers = {k: v[column] for table in (_REFUSED, _ABSENT, _BY_ARGUMENT) for k, v in table.items()}
    refuse, absent = _REFUSE | _EPERM, _REFUSE | _ENOSYS
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _CALL)]
    if machine == "x86_64":  # a second set of numbers for the same calls (x32)
        steps += [(_AT_LEAST, 0, 1, 0x40000000), (_RETURN, 0, 0, refuse)]
    for name in (*_REFUSED, *_ABSENT):
        if (number := numbers[name]) is not None:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, absent if name in _ABSENT else refuse)]
    for name, argument, test, value, allowed in (
        ("open", 1, _ANY_BIT, _WRITES, False),
        ("openat", 2, _ANY_BIT, _WRITES, False),
        ("clone", 0, _ANY_BIT, _CLONE_THREAD, True),
        ("tgkill", 0, _EQUAL, pid, True),
    ):
        if (number := numbers[name]) is not None:
            steps += [
                (_EQUAL, 0, 4, number),
                (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
                (test, 1 if allowed else 0, 0 if allowed else 1, value),
                (_RETURN, 0, 0, refuse),
                (_RETURN, 0, 0, _ALLOW),
            ]
    steps += _no_new_limits(numbers["prlimit64"], refuse)
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _no_new_limits(number: int | None, refuse: int) -> list[tuple[int, int, int, int]]:
    """Limits may be read (the third argument is no address) and not set: root may raise its own."""
    assert number is not None
    low = _ARGUMENTS + 16
    return [
        (_EQUAL, 0, 6, number),
        (_LOAD, 0, 0, low),
        (_EQUAL, 0, 3, 0),
        (_LOAD, 0, 0, low + 4),
        (_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, refuse),
    ]
