# %%
import copyreg
import json
class Celsius:
    def __init__(self, n): self.n = n
json.JSONEncoder.default = lambda self, o: {"c": o.n}
# %%
text = json.dumps(Celsius(3))
# %%
print(text)
