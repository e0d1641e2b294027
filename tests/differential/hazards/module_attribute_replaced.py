# %%
import math
# %%
original = math.floor
math.floor = lambda x: "patched"
# %%
print(math.floor(2.5))
# %%
math.floor = original
# %%
print(math.floor(2.5))
