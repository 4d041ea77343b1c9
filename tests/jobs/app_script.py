"""An app in a process of its own, guarded as app.py is. Arguments: a file for its log, and what to do."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

LOG, HOW = Path(sys.argv[1]), sys.argv[2]
with LOG.open("a") as log:
    log.write(f"module {__name__} {os.getpid()}\n")  # a child that ran this again would add a line

if HOW == "modules":
    import streamlit  # noqa: F401  (as app.py does; no child may import it)


# A shell that starts something in the background has it ignore SIGINT, and with it all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def say(*words: Any) -> None:
    print(*words, flush=True)


def main() -> None:
    from segdebug.jobs import Engine, Job

    engine = Engine(slots=1, runner="tests.jobs.runners:act", tensorflow=HOW == "tensorflow")

    def submit(do: str, key: str) -> Job:
        return engine.submit(None, {"do": do}, key=key)

    def told(job: Job, n: int) -> Job:
        while len(job.since(0)) < n and job.active:
            job.wait(0.02)
        return job

    if HOW == "exit":  # with a run under way and nothing closed
        submit("heed", "k")
    elif HOW in ("modules", "unclosed"):
        job = submit("process", "k")
        job.wait()
        say("in the child:", sorted({"streamlit", "distributed", "pages"} & job.result["modules"]))
        say("in the app:", sorted({"tensorflow", "keras"} & set(sys.modules)))
        if HOW == "modules":
            engine.close()
    elif HOW == "tensorflow":
        for n in range(2):  # the second time in another process
            job = submit("threads", f"threads {n}")
            job.wait()
            say(job.error or job.result)
            job = told(submit("linalg", f"linalg {n}"), 2)
            job.wait(0.3)  # into the operation, which takes many seconds
            say(job.state, job.progress[0])
            if n == 0:
                job.cancel()
        job.wait()
    else:
        job = told(submit(HOW, "k"), 1)
        say(job.state)
        job.wait()


if __name__ == "__main__":
    main()
