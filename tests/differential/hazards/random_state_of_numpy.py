# %%
import numpy as np
np.random.seed(0)
# %%
a = np.random.rand(3)
# %%
b = np.random.normal(size=2)
# %%
c = np.random.permutation(5)
print(a, b, c)
