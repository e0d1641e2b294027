# %%
import warnings
warnings.filterwarnings("ignore", message="quiet")
# %%
warnings.warn("quiet please")
warnings.warn("loud")
# %%
warnings.simplefilter("error")
# %%
try:
    warnings.warn("raised")
except UserWarning as error:
    print("caught", error)
