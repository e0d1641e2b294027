# %%
import os
os.environ["MODE"] = "fast"
# %%
mode = os.environ["MODE"]
os.environ["LEVEL"] = mode + "-1"
# %%
os.environ.pop("MODE")
print(os.getenv("LEVEL"), os.environ.get("MODE", "none"))
# %%
import subprocess
print(subprocess.run("echo [$LEVEL][$MODE]", shell=True, capture_output=True, text=True).stdout)
