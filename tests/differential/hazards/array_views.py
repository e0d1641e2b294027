# %%
import numpy as np
grid = np.zeros((4, 3))
column = grid[:, 1]
flat = grid.reshape(-1)
# %%
column[:] = 7
# %%
flat[0] = -1
# %%
grid *= 2
print(column, flat[:3], np.shares_memory(grid, column), flat.base is grid)
