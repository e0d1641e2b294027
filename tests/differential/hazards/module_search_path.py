# %%
import sys
from pathlib import Path
Path("lib").mkdir()
Path("lib/own_lib.py").write_text("ANSWER = 42\n")
sys.path.insert(0, "lib")
# %%
import own_lib
# %%
print(own_lib.ANSWER, sys.path[0])
