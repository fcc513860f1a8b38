"""A port for a server that is killed and started again: `ports.py [COUNT]` prints some.

Ports that the kernel gives to outgoing connections will not do: while the server is away, a client
that tries to reach it may get the very port as its own, and the server cannot come back.
`INTEROP_PORTS` (default 20000-31999) is the range.
"""

import os
import random
import socket
import sys


given = set()


def free_port():
    """A port that nobody listens on, and nobody on the next: Apache Kafka takes that, too."""
    first, last = (int(it) for it in os.environ.get("INTEROP_PORTS", "20000-31999").split("-"))
    while True:
        port = random.randrange(first, last)
        if {port, port + 1} & given:
            continue
        try:
            for number in (port, port + 1):
                with socket.socket() as taken:
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    taken.bind(("127.0.0.1", number))
            given.update((port, port + 1))
            return port
        except OSError:
            continue


if __name__ == "__main__":
    print(*(free_port() for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 1)))
