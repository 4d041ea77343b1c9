"""Work elsewhere: runs carried out in warm TensorFlow processes, here or on a cluster, and followed live.

    >>> from segdebug.jobs import Engine
    >>> with Engine() as engine:                                        # doctest: +SKIP
    ...     job = engine.submit(scene, experiment, key="coffee:softmax_cce")
    ...     job.wait()
    ...     job.state, job.result

How a run travels (each arrow is one module):

    Engine.submit → queue → dask.distributed (`link`) → a slot of a worker (`pool`, `slot`)
                  → its child process (`child`, forked warm by the `nursery`) → runner(scene, experiment, …)
    Job ← topic ← slot ← private pipe ← on_progress(value)

Importing this imports neither TensorFlow nor distributed; making an Engine imports distributed.
"""

from segdebug.jobs.engine import Engine
from segdebug.jobs.job import Job, State

__all__ = ["Engine", "Job", "State"]
