# %%
import sys
print("out"); print("err", file=sys.stderr)
# %%
print("more", end=""); sys.stderr.write("e2\n")
# %%
print(type(sys.stdout).__name__)
