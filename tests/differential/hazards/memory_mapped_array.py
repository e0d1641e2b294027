# %%
import numpy as np
m = np.memmap("big" + ".dat", dtype="float64", mode="w+", shape=(4,))
# %%
m[:] = [1, 2, 3, 4]
m.flush()
# %%
again = np.memmap("big" + ".dat", dtype="float64", mode="r")
print(again, m.sum())
