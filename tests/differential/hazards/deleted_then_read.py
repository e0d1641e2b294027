# refused: stage `c2` deletes it before
# %%
x = 1
# %%
del x
# %%
print("before")
print(x)
