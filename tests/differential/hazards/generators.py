# %%
def numbers():
    for n in range(10):
        yield n * n
stream = numbers()
# %%
first = next(stream), next(stream)
print(first)
# %%
rest = [next(stream) for _ in range(3)]
# %%
print(rest, list(stream))
