# %%
class Node:
    def __init__(self, name, parent=None):
        self.name, self.parent, self.children = name, parent, []
        if parent is not None:
            parent.children.append(self)
root = Node("root")
leaf = Node("leaf", root)
# %%
extra = Node("extra", leaf)
# %%
root.name = "top"
print(extra.parent.parent.name, [c.name for c in root.children], leaf.parent is root)
