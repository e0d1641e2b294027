# %%
import logging
import sys
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
log = logging.getLogger("mine")
# %%
log.info("shown")
log.debug("hidden")
# %%
log.setLevel(logging.DEBUG)
# %%
log.debug("shown now")
