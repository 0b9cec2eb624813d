import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { median, us } from '../harness.js';
import { atMost, type Row } from '../row.js';
import { rows } from '../samples.js';

const modules: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  [us]: ['unstale'],
  [`${us}/redis`]: ['unstale', 'unstale/redis'],
  'lru-cache + msgpackr': ['lru-cache', 'msgpackr'],
  'layered-loader': ['layered-loader/core'],
  'async-cache-dedupe': ['async-cache-dedupe'],
  bentocache: ['bentocache', 'bentocache/drivers/memory'],
  cacheable: ['cacheable'],
};

/** What loading the core costs at the start of a process, beyond Node's own start. */
export const row: Row = {
  async run({ quick }) {
    const times: Record<string, number[]> = Object.fromEntries(Object.keys(modules).map((name) => [name, []]));
    for (const round of rows(quick ? 2 : 9, Number))
      for (const name of Object.keys(modules)) {
        const { cpu } = load(name);
        if (round > 0) times[name]?.push(cpu / 1000);
      }
    const idle = median(times.nothing as number[]);
    const figures = Object.fromEntries(
      Object.keys(modules)
        .filter((name) => name !== 'nothing')
        .map((name) => [name, median(times[name] as number[]) - idle]),
    );
    const packages = Object.fromEntries(
      Object.keys(figures).map((name) => [name, packagesOf(load(name, true).scripts)]),
    );
    const counts = Object.fromEntries(Object.entries(packages).map(([name, { size }]) => [name, size]));
    const own = packages[us] as Set<string>;
    return [
      {
        title: 'import of the core',
        unit: 'CPU ms',
        figures,
        targets: [
          atMost(
            1.2,
            'of the time of lru-cache + msgpackr',
            (figures[us] as number) / (figures['lru-cache + msgpackr'] as number),
          ),
        ],
      },
      {
        title: 'import of the core: packages',
        unit: 'packages',
        figures: counts,
        targets: [atMost(4, 'packages', own.size), atMost(0, 'of them ioredis', own.has('ioredis') ? 1 : 0)],
      },
    ];
  },
};

interface Loaded {
  readonly cpu: number;
  readonly scripts: readonly string[];
}

/** Imports in a new process. Watching which files are read takes time, so it is done apart. */
function load(name: string, watched = false): Loaded {
  const source = `
    import { Session } from 'node:inspector';
    const scripts = [];
    if (${watched}) {
      const session = new Session();
      session.connect();
      session.on('Debugger.scriptParsed', ({ params }) => scripts.push(params.url));
      session.post('Debugger.enable');
    }
    const start = process.cpuUsage();
    for (const name of ${JSON.stringify(modules[name])}) await import(name);
    const { user, system } = process.cpuUsage(start);
    console.log(JSON.stringify({ cpu: user + system, scripts }));
    process.exit();`;
  // From where the contenders are installed.
  const cwd = join(import.meta.dirname, '..');
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', source], { cwd, encoding: 'utf8' }));
}

function packagesOf(scripts: readonly string[]): Set<string> {
  const names = scripts.map((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]);
  return new Set(names.filter((name): name is string => name !== undefined));
}
