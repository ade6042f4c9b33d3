"""Starts a server of its own, runs the contract against it, then schemathesis with bounded examples."""

import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))

import run_command
from contract import Contract
from hostile import Hostile
from kheapd_server import Server, default_binary

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
]
SECONDS = 600
"""A run takes a small part of this; past it the server hangs."""


def configuration(session):
    """Settings of schemathesis.

    A real session's id makes most generated requests reach a machine.
    """
    return "\n".join([
        f"hooks = {json.dumps(str(HERE / 'schemathesis_hooks.py'))}",
        "[parameters]",
        f'"path.id" = {json.dumps(session)}',
    ])


def hostile_calls(server, seed):
    batches = int(os.environ.get("BATCHES", "60"))
    faults, calls = Hostile(server.address, seed).run(batches)
    for fault in faults:
        print(f"FAILED hostile calls: {fault}\n{server.tail()}")
    print(f"contract: {calls} hostile calls", flush=True)
    return 1 if faults else 0


def generated_requests(contract_path, server, session, seed):
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as settings:
        settings.write(configuration(session))
        settings.flush()
        command = [
            pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", settings.name,
            "run", contract_path, "--url", server.url,
            "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing",
            "--max-examples", os.environ.get("EXAMPLES", "20"), "--seed", str(seed),
            "--request-timeout", "10", "--suppress-health-check", "all",
            "--generation-database", "none", "--no-color", "--continue-on-failure",
            # An event stream has no end to wait for; deleting the session would leave the rest nothing to meet.
            "--exclude-path-regex", "/events$", "--exclude-method", "DELETE",
        ]
        try:
            return subprocess.run(command, timeout=SECONDS, stdin=subprocess.DEVNULL).returncode
        except subprocess.TimeoutExpired:
            print("contract: the generated requests did not end in time")
            return 1


def main():
    path = ROOT / "openapi.yaml"
    seed = int(os.environ.get("SEED") or secrets.randbelow(1 << 32))
    print(f"contract: SEED={seed}", flush=True)
    with Server() as server:
        contract = Contract(path, server.url)
        failed = generated_requests(path, server, contract.new_session(), seed)
        failed |= hostile_calls(server, seed)
    failed |= 1 if run_command.failures(default_binary()) else 0
    # That server stood what was generated and ended cleanly; the contract's own examples meet a fresh one.
    with Server() as server:
        return Contract(path, server.url).run() | failed


sys.exit(main())
