import type { FindingAnswer } from '../answers';
import { button, element } from '../dom';
import type { PipelineModel } from '../pipelinemodel';
import { Drawn, Folded, type Part, type Tools } from './part';

/** What `stagebook check` finds in the notebook as it is on the screen, with what mends it. */
export class Findings implements Part {
  constructor(private readonly _tools: Tools) {
    this._section = new Folded('findings', _tools.trans.__('Findings'), { open: true });
    this._drawn = new Drawn(this._section.body);
    this.node = this._section.node;
  }

  readonly node: HTMLElement;

  show(model: PipelineModel | null): void {
    const findings = model?.hasRoles === true ? (model.analysis?.findings ?? []) : [];
    this.node.hidden = findings.length === 0;
    this._section.count = String(findings.length);
    this._drawn.draw([model?.path, findings], () => [
      element(
        'ul',
        { class: 'stagebook-Findings' },
        ...findings.map(finding => (model === null ? null : this._finding(model, finding)))
      )
    ]);
  }

  private _finding(model: PipelineModel, finding: FindingAnswer): HTMLElement {
    const { trans, actions } = this._tools;
    const { cell, line, severity } = finding;
    const isError = severity === 'error';
    const key = `${finding.code}-${cell?.id ?? ''}-${line ?? 0}`;
    const go =
      cell === null
        ? null
        : button(
            line === null
              ? trans.__('Cell %1', cell.number)
              : trans.__('Cell %1, line %2', cell.number, line),
            () => void actions.jump(model, cell, line),
            { class: 'stagebook-Link', 'data-key': `go-${key}` }
          );
    const fixes = finding.fixes.map((fix, at) =>
      button(
        fix.title,
        () => {
          actions.fix(model, fix);
        },
        { 'data-key': `fix-${key}-${at}` }
      )
    );
    return element(
      'li',
      { class: isError ? 'sb-trouble' : 'sb-remark' },
      element(
        'p',
        {},
        element(
          'span',
          { class: 'stagebook-Finding-kind' },
          isError ? trans.__('✗ error') : trans.__('! warning')
        ),
        ' ',
        finding.message
      ),
      finding.remedy === ''
        ? null
        : element('p', { class: 'stagebook-Finding-remedy' }, finding.remedy),
      element('div', { class: 'sb-buttons' }, go, ...fixes)
    );
  }

  private readonly _section: Folded;
  private readonly _drawn: Drawn;
}
