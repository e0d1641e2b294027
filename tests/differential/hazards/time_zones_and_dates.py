# %%
import datetime as dt
import zoneinfo
start = dt.datetime(2024, 3, 31, 0, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
# %%
later = (start.astimezone(dt.timezone.utc) + dt.timedelta(hours=2)).astimezone(start.tzinfo)
# %%
print(later, later.tzinfo is start.tzinfo)
