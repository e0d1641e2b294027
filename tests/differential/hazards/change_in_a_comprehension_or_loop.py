# %%
lists = {"a": [1], "b": [2]}
stack = [1, 2, 3]
# %%
[values.append(0) for values in lists.values()]
# %%
while len(stack) > 1:
    stack.pop()
# %%
for key in list(lists):
    lists[key] += [9]
print(lists, stack)
