"""Run the agent of a built folder under a clock that goes on by a minute with each request: what `benchmarks.edge_days` starts.

    cd BUILT && python -E -S edge_worker.py

Each line of standard input is the body of a request. After the answer all that is due is done, and a line of JSON tells the
answer's sequence number, the model's version, the resident memory and the size of the device's files. Nothing but the built
folder and the standard library is imported, so that the memory is the agent's.
"""

import json
import os
import sys

MINUTE = 60.0
BEGAN = 1.8e9  # seconds since 1970


def main() -> None:
    """Answer each line."""
    out, sys.stdout = sys.stdout, sys.stderr  # where the log goes
    sys.path[0] = os.getcwd()  # the agent's modules are those of the built folder
    import edge_main
    from edge_agent import KEPT, MODEL
    from edge_clock import Clock
    from server_http import Message

    agent, minutes = edge_main.agent, 0
    agent.clock = Clock(0.0, lambda: BEGAN + MINUTE * minutes, lambda: MINUTE * minutes)
    for line in sys.stdin.buffer:
        minutes += 1
        message = Message("POST", "/predict", {"content-type": "application/json"})
        message.body = line
        answer = edge_main.program.answer(message)
        agent.step()
        sizes = [os.stat(f"{folder}/{name}").st_size for folder, _, names in os.walk(agent.settings.edge_state) for name in names]
        told = {"sequence": answer.headers[KEPT], "model": answer.headers[MODEL], "trouble": agent.trouble}
        told |= {"resident": resident(), "files": len(sizes), "bytes": sum(sizes)}
        print(json.dumps(told), file=out, flush=True)


def resident() -> int:
    """Read the memory of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


main()
