// Removes what a build writes, so that nothing of an older build is shipped. (`rm -rf` is not everywhere.)
import { rmSync } from 'node:fs';

for (const folder of ['lib', '../magics/stagebook/labextension']) {
  rmSync(new URL(folder, import.meta.url), { recursive: true, force: true });
}
