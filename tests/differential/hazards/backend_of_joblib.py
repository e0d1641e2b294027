# %%
import joblib
def double(x):
    return 2 * x
memory = joblib.Memory("cache" + "dir", verbose=0)
# %%
slow = memory.cache(double)
# %%
print(slow(4), joblib.Parallel(n_jobs=1)(joblib.delayed(double)(n) for n in range(3)))
