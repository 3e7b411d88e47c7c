"""A real OpenSSH server on a port of this machine, and an `ssh` that knows it: what an owner's own configuration would say."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aya.host.process import find


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Path]]:
    """The address of a running server, and a folder with an `ssh` to be put before PATH; skipped where there is no sshd."""
    sshd, ssh, keygen = find("sshd"), find("ssh"), find("ssh-keygen")
    if sshd is None or ssh is None or keygen is None:
        pytest.skip("no OpenSSH server is installed")
    for name in ("host_key", "client_key"):
        subprocess.run((keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)), check=True)
    shutil.copy(folder / "client_key.pub", folder / "authorized")
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nAuthorizedKeysFile {folder}/authorized\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nMaxSessions 20\n"
    )
    key = (folder / "host_key.pub").read_text()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {key}")
    (folder / "ssh_config").write_text(
        f"IdentityFile {folder}/client_key\nIdentitiesOnly yes\nUserKnownHostsFile {folder}/known\nStrictHostKeyChecking yes\n"
    )
    (folder / "bin").mkdir()
    (folder / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {ssh} -F {folder}/ssh_config "$@"\n')
    (folder / "bin" / "ssh").chmod(0o755)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    server = subprocess.Popen((sshd, "-D", "-e", "-f", str(folder / "sshd_config")), stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"ssh:{getpass.getuser()}@127.0.0.1:{port}", folder / "bin"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    pytest.fail("the OpenSSH server did not come up")
