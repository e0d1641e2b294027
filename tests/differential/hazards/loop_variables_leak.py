# %%
for i in range(3):
    square = i * i
# %%
print(i, square)
# %%
with open("a" + ".txt", "w") as handle:
    handle.write("x")
# %%
print(handle.closed, [i for i in "ab"], i)
