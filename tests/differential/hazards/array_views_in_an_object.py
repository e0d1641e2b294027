# %%
import numpy as np
class Window:
    def __init__(self, values): self.values, self.middle = values, values[1:-1]
window = Window(np.arange(6.0))
values = window.values
# %%
window.middle += 100
# %%
print(values, window.values is values)
