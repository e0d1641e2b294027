# %%
import tempfile
from pathlib import Path
folder = tempfile.TemporaryDirectory()
# %%
Path(folder.name, "x").write_text("x")
# %%
print([p.name for p in Path(folder.name).iterdir()])
# %%
folder.cleanup()
