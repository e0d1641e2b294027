# %%
import random
import numpy as np
random.seed(1)
np.random.seed(2)
# %%
x = random.random()
# %%
y = np.random.rand()
# %%
z = random.random() + np.random.rand()
print(x, y, z)
