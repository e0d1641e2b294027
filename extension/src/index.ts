import { chips } from './plugins/chips';
import { commands } from './plugins/commands';
import { core } from './plugins/core';
import { notifications } from './plugins/notifications';
import { panel } from './plugins/panel';
import { status } from './plugins/status';
import { toolbar } from './plugins/toolbar';

export { IStagebook } from './tokens';

export default [core, chips, commands, panel, toolbar, status, notifications];
