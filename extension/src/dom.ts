/** Elements: those of the widgets in the notebook, and a few more. Text given to them stays text. */

export { button, element, stateMark, table } from '../../magics/stagebook/widgets/static/dom.js';
