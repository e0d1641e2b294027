# %%
import sys
sys.setrecursionlimit(5000)
import gc
# %%
def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)
print(sys.getrecursionlimit())
# %%
print(deep(3500))
