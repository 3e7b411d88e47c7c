"""A worker to try: it says back what it is told, or does what it is told to."""

import os
import signal
import time

from aya.host.worker import serve


def answer(message: bytes) -> bytes:
    what, _, how = message.partition(b" ")
    if what == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == b"sleep":
        time.sleep(float(how))
    if what == b"long":
        return b"x" * int(how)
    if what == b"take":
        try:
            return b"%d" % len(bytearray(int(how)))
        except MemoryError:
            return b"no memory"
    if what == b"print":
        print("in between", flush=True)
    if what == b"see":
        return os.environ.get(how.decode(), "nothing").encode()
    return message


if __name__ == "__main__":
    serve(answer, memory_limit_bytes=64 * 1024 * 1024)
