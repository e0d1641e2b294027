# %%
import functools
calls = []
@functools.lru_cache(maxsize=None)
def square(n):
    calls.append(n)
    return n * n
# %%
print(square(3), square(4), square.cache_info())
# %%
print(square(3), square(5), square.__wrapped__(6))
# %%
print(calls, square(5), square.cache_info())
