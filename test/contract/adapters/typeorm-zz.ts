// npx tsx /tmp/cases.ts <dialect> <wrap> [filter]

import { adapterContract } from '/work/main/src/testing/adapter-contract.js';
import { typeormDriver } from '/work/main/test/contract/adapters/typeorm.js';
import { startServices } from '/work/main/test/services/index.js';

const [dialect, version, filter] = process.argv.slice(2) as any;
const { services, missing, stop } = await startServices([dialect]);
if (missing.length) console.log(missing);
const url = (services as any)[dialect]?.url;
const driver = await typeormDriver({ dialect, url, version });
process.on('unhandledRejection', (e: any) => console.log('UNHANDLED', e?.message ?? e));
let ok = 0;
const failed: string[] = [];
const skipped: string[] = [];
const t0 = performance.now();
const queue = adapterContract(driver).filter((c) => !filter || c.name.includes(filter));
const times: [number, string][] = [];
async function worker() {
  for (;;) {
    const one = queue.shift();
    if (!one) return;
    if (one.skip) {
      skipped.push(one.name);
      continue;
    }
    const t = performance.now();
    try {
      await Promise.race([one.run(), new Promise((_, r) => setTimeout(() => r(new Error('TIMED OUT')), 15000))]);
      ok++;
      if (process.env.OKS) console.log('ok', one.name);
    } catch (e: any) {
      failed.push(one.name);
      console.log(
        'FAIL',
        one.name,
        '\n     ',
        process.env.FULL
          ? (e?.stack ?? e)
          : String(e?.message ?? e)
              .split('\n')
              .slice(0, 12)
              .join('\n      '),
      );
    }
    times.push([performance.now() - t, one.name]);
  }
}
await Promise.all(Array.from({ length: Number(process.env.N ?? 4) }, worker));
console.log({ ok, failed: failed.length, skipped: skipped.length, ms: Math.round(performance.now() - t0) });
times.sort((a, b) => b[0] - a[0]);
console.log(times.slice(0, 5));
await stop();
process.exit(0);
