# %%
sum_of = sum
# %%
def sum(values):
    return "mine"
# %%
print(sum([1]), sum_of([1]))
# %%
del sum
# %%
print(sum([1]))
