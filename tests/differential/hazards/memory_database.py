# %%
import sqlite3
base = sqlite3.connect(":memory:")
base.execute("create table t (n)")
# %%
base.execute("insert into t values (1)")
# %%
base.executemany("insert into t values (?)", [(2,), (3,)])
# %%
print(base.execute("select sum(n) from t").fetchone())
