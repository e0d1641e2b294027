# %%
import sqlite3
path = "shop" + ".db"
with sqlite3.connect(path) as made:
    made.execute("create table items (name text, price real)")
made.close()
del made
# %%
base = sqlite3.connect(path)
base.execute("insert into items values ('pen', 1.5)")
base.commit()
# %%
base.execute("insert into items values ('ink', 4)")
base.commit()
# %%
print(base.execute("select * from items").fetchall())
base.close()
