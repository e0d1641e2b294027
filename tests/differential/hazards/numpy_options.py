# %%
import numpy as np
np.set_printoptions(precision=2, suppress=True)
old = np.seterr(divide="raise")
# %%
values = np.array([1 / 3, 1e-7])
values
# %%
try:
    np.array([1.0]) / 0
except FloatingPointError as error:
    print(error)
# %%
np.set_printoptions(precision=4)
# %%
print(values, np.geterr()["divide"])
