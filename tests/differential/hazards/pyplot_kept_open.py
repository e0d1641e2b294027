# With close_figures off, pyplot's current figure goes on from cell to cell.
# %%
import matplotlib.pyplot as plt
# %config InlineBackend.close_figures = False
# %%
fig = plt.figure(figsize=(3, 2))
plt.plot([1, 2])
# %%
plt.plot([2, 1])
print(len(plt.gca().lines), plt.gcf() is fig)
# %%
plt.close(fig)
print(plt.get_fignums())
