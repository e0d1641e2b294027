# random_state=None means numpy's global state, and no code names it.
# %%
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split
np.random.seed(3)
# %%
X, y = make_blobs(n_samples=60, centers=3)
# %%
train, test = train_test_split(X, test_size=0.5)
# %%
centers = KMeans(n_clusters=3, n_init=1, max_iter=2).fit(train).cluster_centers_
# %%
print(test[:2].round(6), centers.round(6))
