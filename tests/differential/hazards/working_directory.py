# %%
import os
from pathlib import Path
Path("inner").mkdir()
os.chdir("inner")
# %%
Path("note.txt").write_text("hello")
where = Path.cwd().name
# %%
print(where, sorted(p.name for p in Path("..").iterdir() if p.suffix != ".ipynb" and p.name != ".stagebook"))
# %%
print(Path("note.txt").read_text())
os.chdir("..")
# %%
print(Path("inner/note.txt").exists(), Path.cwd().name)
