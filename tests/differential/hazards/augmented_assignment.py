# %%
import numpy as np
a = np.ones(3); b = a
t = (1,); u = t
s = {1}; r = s
# %%
a += 1
t += (2,)
# %%
s |= {2}
# %%
print(a, b, a is b, t, u, s, r, s is r)
