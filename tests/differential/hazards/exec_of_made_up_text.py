# %%
names = ["one", "two"]
for number, name in enumerate(names):
    exec(f"{name} = {number}")
# %%
total = one + two
# %%
print(total, one, two)
