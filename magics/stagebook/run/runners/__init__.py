"""One file a runner: it takes stage jobs and gives futures.

A runner has `slots` (how many jobs it works on at once), `submit(job, emit, environment) -> Future[StageResult]`,
`prepare(...)`, `interrupt()` and `close()`, and is a context manager. `share()` gives one for another run of this
process: the slots are for both together, everything else (kernels that are kept, interrupting, closing) is its own.
`is_here` says whether this machine's memory and resources are the ones that count; `check(folder, packages, store)`
refuses where stages would come out otherwise than here, or do not find the store; `hear(event)` is told of all that
happens, as any listener is.
"""
