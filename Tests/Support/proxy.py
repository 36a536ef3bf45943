"""A TCP proxy on loopback that can be made to misbehave."""

import select
import socket
import struct
import threading
import time


class Proxy:
    """Forwards connections to `target_port`. Verbs: down, up, silent, loud, reset, latency, slice."""

    def __init__(self, target_port: int):
        self.target = ("127.0.0.1", target_port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_down = False
        self.is_silent = False
        self.latency = 0.0
        self.slice = 0
        self.closing = False
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_down:
                client.close()
                continue
            try:
                server = socket.create_connection(self.target, timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self.lock:
                self.pairs.append(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(source, sink, pair), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, pair):
        try:
            while True:
                readable, _, _ = select.select([source], [], [], 0.2)
                if self.is_silent:
                    time.sleep(0.05)
                    continue
                if not readable:
                    continue
                data = source.recv(65536)
                if not data:
                    break
                if self.latency:
                    time.sleep(self.latency)
                step = self.slice  # read once: it may change while the slices go out
                if step:
                    for at in range(0, len(data), step):
                        sink.sendall(data[at:at + step])
                else:
                    sink.sendall(data)
        except (OSError, ValueError):
            pass
        self._close(pair)

    def _close(self, pair, with_reset: bool = False):
        with self.lock:
            if pair in self.pairs:
                self.pairs.remove(pair)
        for end in pair:
            try:
                if with_reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def connections(self) -> int:
        with self.lock:
            return len(self.pairs)

    def reset(self):
        """Every connection ends with RST; new ones are let in."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self._close(pair, with_reset=True)

    def down(self):
        """Nobody gets through, and who was through is cut off."""
        self.is_down = True
        self.reset()

    def up(self):
        self.is_down = False

    def silent(self):
        """Connections stay open and carry nothing."""
        self.is_silent = True

    def loud(self):
        self.is_silent = False

    def close(self):
        self.closing = True
        self.listener.close()
        self.reset()
