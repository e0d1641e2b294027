# The inline backend closes figures after each cell; what is drawn in the next goes into a new one.
# %%
import matplotlib.pyplot as plt
plt.figure(figsize=(3, 2))
plt.plot([1, 2])
# %%
plt.plot([2, 1])
plt.title("alone")
print(len(plt.gca().lines), plt.get_fignums())
# %%
print(plt.get_fignums())
