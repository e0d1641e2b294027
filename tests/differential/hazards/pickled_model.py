# %%
import pickle
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
# %%
with open("model" + ".pkl", "wb") as f:
    pickle.dump(model, f)
# %%
again = pickle.load(open("model" + ".pkl", "rb"))
print(again.predict([[0.2], [2.9]]), again is model)
