# %%
%%capture said
print("hidden")
# %%
print(said.stdout)
# %%
%%time
total = sum(range(10))
# %%
files = !echo one two
print(files[0], total)
