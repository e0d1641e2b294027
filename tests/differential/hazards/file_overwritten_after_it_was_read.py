# %%
from pathlib import Path
state = Path("sta" + "te.txt")
state.write_text("one")
# %%
before = state.read_text()
# %%
state.write_text("two")
# %%
after = Path("sta" + "te.txt").read_text()
print(before, after)
