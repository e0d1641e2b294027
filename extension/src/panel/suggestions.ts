import type { SuggestedCell, SuggestionAnswer } from '../answers';
import { button, element } from '../dom';
import type { PipelineModel } from '../pipelinemodel';
import { Drawn, type Part, type Tools } from './part';

/** What a notebook without stages is offered: how to begin, and stages that are suggested for its cells. */
export class Suggestions implements Part {
  constructor(
    private readonly _tools: Tools,
    private readonly _pick: () => void
  ) {
    this._drawn = new Drawn(this.node);
  }

  readonly node = element('div', { class: 'stagebook-Suggestions' });

  show(model: PipelineModel | null): void {
    if (model !== this._model) {
      this._model = model;
      this._found = null;
    }
    const isEmpty = model !== null && !model.hasRoles;
    if (!isEmpty) {
      this._found = null;
    }
    this._drawn.draw([isEmpty, model?.path, this._found], () =>
      model === null
        ? [
            element(
              'p',
              { class: 'sb-quiet' },
              this._tools.trans.__('Open a notebook to see its pipeline.')
            )
          ]
        : isEmpty
          ? this._content(model)
          : []
    );
  }

  private _content(model: PipelineModel): (HTMLElement | null)[] {
    const { trans } = this._tools;
    const begin = button(trans.__('Tag the active cell'), this._pick, {
      class: 'sb-button sb-main',
      'data-key': 'pick'
    });
    const suggest = button(trans.__('Suggest stages'), () => void this._ask(model), {
      'data-key': 'suggest'
    });
    return [
      element('p', {}, trans.__('No cell of this notebook belongs to a stage yet.')),
      element(
        'p',
        { class: 'sb-quiet' },
        trans.__(
          'Cells that share a stage’s name are run together, apart from the notebook, and kept.'
        )
      ),
      element('div', { class: 'sb-buttons' }, begin, suggest),
      this._found === null ? null : this._list(model, this._found)
    ];
  }

  private _list(model: PipelineModel, found: SuggestionAnswer): HTMLElement {
    const { trans, actions } = this._tools;
    const news = found.cells.filter(cell => cell.new);
    const rows = news.map(cell => this._row(model, cell));
    const accept = button(
      trans.__('Take up all'),
      () => {
        actions.accept(model, news);
      },
      { class: 'sb-button sb-main', 'data-key': 'accept' }
    );
    return element(
      'div',
      {},
      rows.length === 0
        ? element('p', { class: 'sb-quiet' }, trans.__('There is nothing to suggest.'))
        : element('ul', { class: 'stagebook-Suggested' }, ...rows),
      ...found.errors.map(error => element('p', { class: 'sb-remark' }, error.message)),
      rows.length === 0 ? null : element('div', { class: 'sb-buttons' }, accept)
    );
  }

  private _row(model: PipelineModel, cell: SuggestedCell): HTMLElement {
    const { trans, actions } = this._tools;
    const go = button(trans.__('Cell %1', cell.number), () => void actions.jump(model, cell), {
      class: 'stagebook-Link',
      'data-key': `cell-${cell.number}`
    });
    return element(
      'li',
      { title: cell.why },
      go,
      ' ',
      element('strong', {}, cell.tag ?? ''),
      ' ',
      element('code', { class: 'sb-quiet' }, cell.code)
    );
  }

  private async _ask(model: PipelineModel): Promise<void> {
    const { actions } = this._tools;
    this._found = await actions.tried(() => model.api.suggest(model.path, model.watch.asJson()));
    this.show(model);
  }

  private _model: PipelineModel | null = null;
  private _found: SuggestionAnswer | null = null;
  private readonly _drawn: Drawn;
}
