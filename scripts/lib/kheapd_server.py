"""A kheapd server of one's own: started on a free port of loopback, stopped at the end."""

import os
import pathlib
import re
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 20
STOP_SECONDS = 20


def default_binary():
    """The binary that $KHEAPD names, or the release build."""
    if os.environ.get("KHEAPD"):
        return pathlib.Path(os.environ["KHEAPD"]).resolve()
    folder = subprocess.run(
        ["swift", "build", "-c", "release", "--show-bin-path"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.strip()
    return pathlib.Path(folder) / "kheapd"


class Server:
    """Serves while the `with` block runs; leaving it stops the server and demands a clean exit."""

    def __init__(self, *flags, command=None):
        self.command = command or [
            str(default_binary()), "serve", "--host", "127.0.0.1", "--port", "0", *flags,
        ]
        self.address = None
        self.lines = []
        self._listening = threading.Event()

    @property
    def url(self):
        return f"http://{self.address}"

    @property
    def host_and_port(self):
        host, _, port = self.address.rpartition(":")
        return host, int(port)

    def __enter__(self):
        if not pathlib.Path(self.command[0]).exists():
            raise SystemExit(f"no {self.command[0]}: run `swift build -c release --product kheapd` first")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        )
        threading.Thread(target=self._read, daemon=True).start()
        if not self._listening.wait(START_SECONDS) or self.address is None:
            self.process.kill()
            raise SystemExit(f"{self.command[0]} did not listen:\n" + self.tail())
        return self

    def _read(self):
        for line in self.process.stdout:
            self.lines = self.lines[-199:] + [line.rstrip("\n")]
            match = re.search(r"listening on http://([^\s/]+)", line)
            if match and self.address is None:
                self.address = match.group(1)
                self._listening.set()
        self._listening.set()

    def tail(self):
        """The server's last lines, for a failure's report."""
        return "\n".join(self.lines[-30:])

    def stop(self):
        """Asks the server to end and returns its exit code; a negative one is a signal's number."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __exit__(self, kind, *_):
        code = self.stop()
        if code != 0 and kind is None:
            raise SystemExit(f"{self.command[0]} ended with {code}:\n" + self.tail())
