# %%
import matplotlib.pyplot as plt
plt.rcParams["figure.figsize"] = (3, 2)
# %%
fig, ax = plt.subplots()
print(fig.get_size_inches())
# %%
plt.style.use("ggplot")
# %%
print(plt.rcParams["axes.facecolor"], plt.rcParams["figure.figsize"])
