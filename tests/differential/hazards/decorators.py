# %%
calls = {}
def counted(function):
    def wrapper(*args):
        calls[function.__name__] = calls.get(function.__name__, 0) + 1
        return function(*args)
    return wrapper
# %%
@counted
def add(a, b):
    return a + b
# %%
print(add(1, 2), add(3, 4))
# %%
print(calls)
