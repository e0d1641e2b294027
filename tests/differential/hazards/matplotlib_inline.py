# %%
# %matplotlib inline
import matplotlib.pyplot as plt
# %%
fig, ax = plt.subplots()
lines = ax.plot([1, 2, 3])
plt.show()
# %%
ax.set_title("late")
fig
