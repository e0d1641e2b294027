# %%
import random
random.seed(5)
state = random.getstate()
# %%
a = [random.random() for _ in range(3)]
# %%
random.setstate(state)
# %%
b = [random.random() for _ in range(3)]
print(a == b)
