# soorgeon's failure: `.fit()` in one cell, `.predict()` in a later one.
# %%
import numpy as np
from sklearn.linear_model import LinearRegression
model, others = LinearRegression(), [LinearRegression(fit_intercept=False)]
X, y = np.arange(5.0).reshape(-1, 1), np.arange(5.0) * 2 + 1
# %%
model.fit(X, y)
# %%
for one in others:
    one.fit(X, y)
# %%
print(model.predict([[10.0]]).round(6), others[0].coef_.round(6))
