# %%
left, right = __import__("itertools").tee(iter(range(6)))
base = iter("abcdef")
doubled = map(str.upper, base)
# %%
print(next(doubled), next(left))
# %%
print(next(base), next(right), next(right))
# %%
print(list(doubled), list(left), list(right))
