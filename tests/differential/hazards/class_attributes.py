# %%
class Model:
    made = 0
    seen = []
    def __init__(self):
        Model.made += 1
        self.seen.append(self.made)
first = Model()
# %%
second = Model()
# %%
Model.made = 10
third = Model()
# %%
print(Model.made, Model.seen, first.seen is second.seen, isinstance(first, Model), type(third) is Model)
