/** Kale's tags, read as a dialect: a notebook tagged for Kale opens as it is. Python's `book/kale.py` in TypeScript. */

const OF_WORD = new Map<string, string>([
  ['imports', 'setup'],
  ['functions', 'setup'],
  ['pipeline-parameters', 'parameters'],
  ['pipeline-metrics', 'stage:pipeline-metrics']
]);
const SKIP = 'skip';
const STEP = /^(?:block|step):(.+)$/;
const STAGEBOOK = /^(?:setup|parameters)$|^(?:stage|test):/;

/** Each code cell's tags in Stagebook's words, in notebook order; as they are, unless the notebook is Kale's. */
export function inOurWords(tagsOfCells: readonly (readonly string[])[]): (readonly string[])[] {
  if (!isKalesNotebook(tagsOfCells)) {
    return [...tagsOfCells];
  }
  let above: readonly string[] = [];
  return tagsOfCells.map(tags => {
    const last = tags.filter(isKales).at(-1);
    if (last === undefined) {
      return above; // an untagged cell goes on with what is tagged above it
    }
    if (last === SKIP) {
      return [];
    }
    const ours = OF_WORD.get(last) ?? last.replace(STEP, 'stage:$1');
    above = [ours === 'parameters' ? 'setup' : ours]; // Papermill knows one parameters cell
    return [ours];
  });
}

/** Whether a notebook with these tags is read as Kale's. */
export function isKalesNotebook(tagsOfCells: readonly (readonly string[])[]): boolean {
  const all = tagsOfCells.flat();
  return !all.some(tag => STAGEBOOK.test(tag)) && all.some(isKales);
}

/** Whether a tag is one of Kale's words. */
export function isKales(tag: string): boolean {
  return tag === SKIP || OF_WORD.has(tag) || STEP.test(tag);
}
