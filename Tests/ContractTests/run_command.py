"""Runs `kheapd run` as a process: exit codes, what is printed, the standard input."""

import json
import pathlib
import subprocess
import tempfile

SECONDS = 60
LEAK = [{"call": "kmalloc", "as": "p", "size": 64, "flags": "GFP_KERNEL"}]
SOUND = [*LEAK, {"call": "kfree", "objp": "$p"}]


def run(binary, *arguments, text=""):
    return subprocess.run(
        [str(binary), "run", *arguments], input=text, capture_output=True, text=True, timeout=SECONDS,
    )


def cases(binary, folder):
    """Pairs of what is tested and whether it holds."""
    path = pathlib.Path(folder) / "calls.json"
    path.write_text(json.dumps({"machine": {"memory": "128M"}, "calls": SOUND}))
    sound = run(binary, str(path))
    lines = [json.loads(line) for line in sound.stdout.splitlines()]
    yield "a sound file ends with 0", sound.returncode == 0
    yield "a line for each call and the verdict", len(lines) == 3 and lines[-1]["verdict"]["ok"] is True

    leak = run(binary, "--quiet", "-", text="\n".join(json.dumps(call) for call in LEAK))
    verdict = json.loads(leak.stdout)["verdict"]
    yield "a leak ends with 1", leak.returncode == 1 and verdict["leaks"]["total"] == 1

    text = run(binary, "--format", "text", "-", text=json.dumps(LEAK))
    yield "text for people", text.returncode == 1 and "verdict: bad" in text.stdout.splitlines()

    wrong = run(binary, "-", text='[{"call": "kmaloc"}]')
    yield "an unknown call ends with 2", wrong.returncode == 2 and "unknown-function" in wrong.stdout

    large = run(binary, "--max-batch-bytes", "10", "-", text=json.dumps(SOUND))
    yield "a file beyond the limit ends with 2", large.returncode == 2 and "body-too-large" in large.stdout

    missing = run(binary, str(path) + ".none")
    yield "a file that is not there ends with 2", missing.returncode == 2 and "cannot read" in missing.stderr


def failures(binary):
    """What does not hold, printed; the number of it."""
    with tempfile.TemporaryDirectory() as folder:
        results = list(cases(binary, folder))
    failed = [name for name, holds in results if not holds]
    for name in failed:
        print(f"FAILED kheapd run: {name}")
    print(f"contract: kheapd run, {len(results) - len(failed)} passed", flush=True)
    return len(failed)
