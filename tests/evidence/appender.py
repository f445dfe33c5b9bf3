"""A program that appends decisions until it is killed, and prints the id of each that was acknowledged as durable."""

import asyncio
import sys
from pathlib import Path

from gateway.core.clock import SystemClock
from gateway.core.ids import new_id
from gateway.evidence.recorder import Recorder
from tests.evidence.world import decided, finished, opened


async def agent(recorder: Recorder, clock: SystemClock) -> None:
    sid = new_id(clock)
    await recorder.append(opened(sid))
    while True:
        did = new_id(clock)
        await recorder.append(decided(did, sid, durable=True, text=f"SELECT {did}"))
        sys.stdout.write(f"{did}\n")
        sys.stdout.flush()
        await recorder.append(finished(did, sid))


async def main(folder: Path) -> None:
    clock = SystemClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=0.01)
    await asyncio.gather(*(agent(recorder, clock) for _ in range(8)))


asyncio.run(main(Path(sys.argv[1])))
