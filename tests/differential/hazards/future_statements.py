# %%
from __future__ import annotations
# %%
def f(x: Unknown) -> AlsoUnknown:
    return x
# %%
print(f.__annotations__, f(1))
