# %%
import weakref
class Node:
    pass
node = Node()
link = weakref.ref(node)
pool = {node: "here"}
# %%
print(link() is node, pool[node])
# %%
node.name = "n"
print(link().name, next(iter(pool)) is node)
