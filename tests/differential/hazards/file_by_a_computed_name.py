# %%
names = [f"part-{n}.txt" for n in range(3)]
# %%
for n, name in enumerate(names):
    with open(name, "w") as f:
        f.write(str(n * n))
# %%
import glob
total = sum(int(open(name).read()) for name in sorted(glob.glob("part-*.txt")))
print(total)
