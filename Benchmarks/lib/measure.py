"""What the benchmarks share: medians with their spread, CPU time, resident memory, the head of a result file."""

import datetime
import os
import pathlib
import platform
import statistics
import subprocess
import sys

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
ROOT = BENCHMARKS.parent
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process with all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Sample:
    """Repeated readings of one quantity."""

    def __init__(self, values):
        self.values = list(values)
        self.median = statistics.median(self.values)

    def text(self, digits=2, unit=""):
        """Median and range: `0.93 (0.91–0.95)`."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:,.{digits}f}{unit} ({low:,.{digits}f}–{high:,.{digits}f})"


def ratios(ours, theirs):
    """Round by round, so that what slows one round slows both sides of its ratio."""
    return Sample(a / b if b else float("nan") for a, b in zip(ours, theirs))


def first_line(*command):
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    text = (run.stdout + run.stderr).strip()
    return text.splitlines()[0] if text else "?"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_gib():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal"):
            return round(int(line.split()[1]) / (1 << 20))
    return 0


def head(title, versions):
    """The lines on top of a result file: machine, versions, command."""
    system = "?"
    for line in pathlib.Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME"):
            system = line.partition("=")[2].strip('"')
    commit = first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    command = " ".join([os.path.relpath(sys.argv[0], ROOT), *sys.argv[1:]])
    rows = [
        f"- machine: {processor()}, {os.cpu_count()} cores, {memory_gib()} GiB, {system}",
        f"- kernel: {platform.release()}",
        *(f"- {name}: {version}" for name, version in versions.items()),
        f"- kheapd: {commit}, release build",
        f"- command: `{command}`, {datetime.date.today().isoformat()}",
        f"- load average over the last five minutes, the run included: {os.getloadavg()[1]:.1f}",
    ]
    return "\n".join([f"# {title}", "", *rows, ""])


def table(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def publish(name, text, smoke):
    """Prints a result; writes results/NAME too, unless the inputs were too small to mean anything."""
    print(text)
    if not smoke:
        (BENCHMARKS / "results" / name).write_text(text + "\n", encoding="utf-8")
