# The plain kernel stops in the same cell, with the same error.
# %%
x = 1
# %%
print("before"); 1 / (x - 1)
# %%
print("never")
