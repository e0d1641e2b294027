# %%
from pathlib import Path
import shutil
a, b = Path("a" + ".txt"), Path("b" + ".txt")
a.write_text("A")
# %%
a.rename(b)
# %%
print(a.exists(), b.read_text())
# %%
b.unlink()
# %%
print(b.exists())
