# %%
import numpy as np
np.random.seed(0)
# %%
a = np.random.rand()
# %%
np.random.seed(0)
b = np.random.rand()
# %%
c = np.random.rand()
print(a == b, c)
