/** A stage's values and figures at a glance. */

import { Sanitizer } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { FiguresAnswer, Preview, ValuesAnswer } from '../answers';
import { element, table } from '../dom';

/** The values, each below its name. */
export function valuesOf(answer: ValuesAnswer, trans: TranslationBundle): HTMLElement {
  const none =
    answer.values.length === 0
      ? element('p', { class: 'sb-quiet' }, trans.__('It has kept no values.'))
      : null;
  return element(
    'div',
    { class: 'sb-values' },
    remark(answer, trans),
    none,
    ...answer.values.map(valueOf)
  );
}

/**
 * The pictures, and the cards of comparisons, that the stage's cells have put out.
 *
 * A card is shown as in a notebook that is not trusted.
 */
export function figuresOf(answer: FiguresAnswer, trans: TranslationBundle): HTMLElement {
  const sanitizer = new Sanitizer();
  const cards = answer.cards.map((html, at) => {
    const card = element('div', { class: 'jp-RenderedHTMLCommon' });
    card.innerHTML = sanitizer.sanitize(html);
    return scrolled(card, trans.__('Comparison %1 of stage %2', at + 1, answer.stage));
  });
  const images = answer.figures.map((png, at) =>
    element('img', {
      src: `data:image/png;base64,${png}`,
      alt: trans.__('Figure %1 of stage %2', at + 1, answer.stage)
    })
  );
  const none =
    images.length + cards.length === 0
      ? element('p', { class: 'sb-quiet' }, trans.__('Its cells have put out no pictures.'))
      : null;
  return element('div', { class: 'sb-figures' }, remark(answer, trans), none, ...cards, ...images);
}

function valueOf(value: Preview): HTMLElement {
  const about = [value.type, value.about].filter(text => text !== '').join(' · ');
  return element(
    'article',
    { class: 'sb-value' },
    element(
      'header',
      {},
      element('code', {}, value.name),
      element('span', { class: 'sb-quiet' }, about)
    ),
    value.text === undefined
      ? null
      : element('pre', { class: 'sb-code', tabindex: '0' }, value.text),
    value.rows === undefined ? null : scrolled(frameOf(value), value.name)
  );
}

function frameOf({ heads = [], kinds = [], rows = [] }: Preview): HTMLElement {
  const made = table(heads, rows, heads[0] === '');
  made.querySelectorAll('thead th').forEach((head, at) => {
    const kind = kinds[at] ?? '';
    if (kind !== '') {
      head.append(element('span', { class: 'sb-kind' }, kind));
    }
  });
  return made;
}

function remark(
  answer: ValuesAnswer | FiguresAnswer,
  trans: TranslationBundle
): HTMLElement | null {
  return answer.changed === ''
    ? null
    : element(
        'p',
        { class: 'sb-remark' },
        trans.__('They are of run %1; the stage is out of date since.', answer.run)
      );
}

/** Can be scrolled with the keyboard, too. */
function scrolled(wide: HTMLElement, label: string): HTMLElement {
  return element(
    'div',
    { class: 'sb-scrolled', tabindex: '0', role: 'region', 'aria-label': label },
    wide
  );
}
