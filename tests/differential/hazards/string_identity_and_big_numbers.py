# %%
big, text, nan = 10**50, "a b" * 3, float("nan")
held = [big, text, nan]
# %%
held.append(big)
# %%
print(held[2] != held[2], held[2] in held, held.count(big), held[1] == text)
