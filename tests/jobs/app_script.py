"""An app in a process of its own, guarded as app.py is. Arguments: a file for its log, and what to do."""

import os
import sys
from pathlib import Path

LOG = Path(sys.argv[1])
with LOG.open("a") as log:
    log.write(f"module {__name__} {os.getpid()}\n")  # a child that ran this again would add a line

if sys.argv[2] == "modules":
    import streamlit  # noqa: F401  (as app.py does; no child may import it)

if __name__ == "__main__":
    from segdebug.jobs import Engine

    how = sys.argv[2]
    engine = Engine(slots=1, runner="tests.jobs.runners:act", tensorflow=how == "linalg")
    do = "process" if how in ("modules", "exit", "unclosed") else how
    job = engine.submit(None, {"do": do}, key="k")
    if how == "exit":
        sys.exit(0)  # with the run under way and nothing closed
    if how in ("modules", "unclosed"):
        job.wait(120)
        heavy = {"streamlit", "distributed", "pages"} & job.result["modules"]
        print("in the child:", sorted(heavy))
        print("in the app:", sorted({"tensorflow", "keras"} & set(sys.modules)))
        if how == "modules":
            engine.close()
        sys.exit(0)
    told = 2 if how == "linalg" else 1
    while len(job.since(0)) < told:
        job.wait(0.05)
    print("running", *job.progress, flush=True)
    job.wait()
