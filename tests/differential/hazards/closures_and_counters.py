# %%
def counter():
    count = 0
    def step(by=1):
        nonlocal count
        count += by
        return count
    return step
step = counter()
other = step
# %%
print(step(), step(2))
# %%
print(other())
# %%
print(step(), other is step)
