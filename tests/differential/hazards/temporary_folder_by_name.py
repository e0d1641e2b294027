# %%
import tempfile
from pathlib import Path
folder = Path(tempfile.mkdtemp())
# %%
(folder / "x").write_text("x")
# %%
print(sorted(p.name for p in folder.iterdir()))
# %%
import shutil
shutil.rmtree(folder)
# %%
print(folder.exists())
