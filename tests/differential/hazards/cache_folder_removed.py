# %%
import os
import shutil
import tempfile
import time
folder = tempfile.mkdtemp()
kept = os.path.join(folder, "kept" + ".txt")
# %%
os.mkdir(os.path.join(folder, "inner"))
with open(kept, "w") as file:
    file.write("first")
# %%
time.sleep(1.5)
print(os.path.exists(kept), sorted(os.listdir(folder)))
with open(os.path.join(folder, "inner", "more"), "w") as file:
    file.write("second")
# %%
getattr(shutil, "rm" + "tree")(folder, ignore_errors=True)
# %%
print(os.path.exists(kept), os.path.isdir(folder))
