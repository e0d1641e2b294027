# %%
import numpy as np
rng = np.random.default_rng(0)
legacy = np.random.RandomState(1)
# %%
a = rng.normal(size=2)
# %%
b = rng.integers(100), legacy.randint(100)
# %%
children = rng.spawn(2)
print(a, b, children[0].random(), legacy.rand())
