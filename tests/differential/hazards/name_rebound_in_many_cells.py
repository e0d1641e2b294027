# marimo allows one definition per name.
# %%
x = 1
# %%
y = x + 1
# %%
x = 10
# %%
z = x + y
x = x + z
# %%
print(x, y, z)
