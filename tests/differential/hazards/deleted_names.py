# %%
a, b, c = [1], 2, 3
held = a
# %%
del a
# %%
held.append(2)
a = "new"
# %%
del b, c
# %%
print(held, a, "b" in globals())
