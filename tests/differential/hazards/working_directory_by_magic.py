# %%
# !mkdir inner
# %%
# %cd inner
# %%
open("x.txt", "w").write("x")
# %%
# !ls
