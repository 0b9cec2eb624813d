import type { AdapterCase, AdapterDriver } from '../../../src/testing/adapter-contract.js';

type Mark = 'ok' | 'FAIL' | { readonly skip: string };

/** What became of each case with each adapter and database, so that nothing is left out without a word. */
export class Matrix {
  /** By adapter and database, then by case; what ran in two ways is one case here. */
  readonly #columns = new Map<string, Map<string, Mark>>();

  /** Runs a case, and keeps how it went. */
  async run(driver: AdapterDriver, one: AdapterCase): Promise<void> {
    try {
      await one.run();
      this.#put(driver, one, 'ok');
    } catch (error) {
      this.#put(driver, one, 'FAIL');
      throw error;
    }
  }

  skip(driver: AdapterDriver, one: AdapterCase): void {
    if (!one.skip) throw new Error(`'${one.name}' is skipped and does not say why`);
    this.#put(driver, one, { skip: one.skip });
  }

  /** A line for each case that did not pass everywhere, and how many did. */
  report(): string {
    const heads = [...this.#columns.keys()];
    const names = [...new Set([...this.#columns.values()].flatMap((cases) => [...cases.keys()]))];
    const rows = names.map((name) => ({ name, marks: heads.map((head) => this.#columns.get(head)?.get(name)) }));
    // Of values each database has its own.
    const passes = (mark: Mark | undefined) => mark === undefined || mark === 'ok';
    const uneven = rows.filter(({ marks }) => !marks.every(passes));
    const reasons = [...new Set(rows.flatMap(({ marks }) => marks.flatMap((mark) => skipOf(mark) ?? [])))];
    const width = Math.max(...uneven.map(({ name }) => name.length), 0);
    const line = (name: string, cells: readonly string[]) =>
      [name.padEnd(width), ...cells.map((text, i) => text.padEnd((heads[i] as string).length))].join('  ').trimEnd();
    const cell = (mark: Mark | undefined) =>
      typeof mark === 'object' ? `skip ${reasons.indexOf(mark.skip) + 1}` : (mark ?? 'no such case');
    const total = (head: string) => {
      const marks = [...(this.#columns.get(head)?.values() ?? [])];
      const count = (of: (mark: Mark) => boolean) => marks.filter(of).length;
      const failed = count((mark) => mark === 'FAIL');
      const skipped = count((mark) => typeof mark === 'object');
      return `${head}: ${count((mark) => mark === 'ok')} ok, ${skipped} skipped${failed ? `, ${failed} FAILED` : ''}`;
    };
    return [
      `${rows.length - uneven.length} of ${rows.length} cases pass wherever there is such a thing; the others:`,
      line('', heads),
      ...uneven.map(({ name, marks }) => line(name, marks.map(cell))),
      ...reasons.map((reason, i) => `  skip ${i + 1}: ${reason}`),
      ...heads.map(total),
    ].join('\n');
  }

  #put(driver: AdapterDriver, { name }: AdapterCase, mark: Mark): void {
    const column = `${driver.name}, ${driver.server}`;
    const cases = this.#columns.get(column) ?? new Map<string, Mark>();
    const row = name.replace(/ \((one process|two processes)\)$/, '');
    if (cases.get(row) !== 'FAIL') cases.set(row, mark);
    this.#columns.set(column, cases);
  }
}

function skipOf(mark: Mark | undefined): string | undefined {
  return typeof mark === 'object' ? mark.skip : undefined;
}
