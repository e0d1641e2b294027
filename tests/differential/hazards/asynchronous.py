# %%
import asyncio
async def fetch(n):
    await asyncio.sleep(0)
    return n * 2
# %%
results = await asyncio.gather(fetch(1), fetch(2))
# %%
async def stream():
    for n in range(3):
        yield n
seen = [n async for n in stream()]
# %%
print(results, seen)
