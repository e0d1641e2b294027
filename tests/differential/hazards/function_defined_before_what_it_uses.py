# %%
def area(r):
    return pi_like * r**2
# %%
pi_like = 3
# %%
first = area(2)
# %%
pi_like = 4
# %%
print(first, area(2))
