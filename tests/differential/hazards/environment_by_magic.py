# %%
# %env WHO=me
# %%
import os
print(os.environ["WHO"])
# %%
# !echo $WHO
