// Shifts the wall clocks of two processes of a history by an hour, one ahead and one behind, before anything else is
// loaded there, and sets each to the other's time while it works. The monotonic clock stays. For `node --import`; says
// what it has done in the file `log` of its address.
import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';

const hour = 3_600_000;
const log = new URL(import.meta.url).searchParams.get('log');
const { file } = JSON.parse(process.argv[2] ?? '{}');
const at = file === undefined ? -1 : Number(basename(file, '.jsonl'));
let by = [hour, -hour][at] ?? 0;
const True = Date;
const shifted = () => True.now() + by;

globalThis.Date = new Proxy(True, {
  construct: (_, args, target) => Reflect.construct(True, args.length === 0 ? [shifted()] : args, target),
  apply: () => new True(shifted()).toString(),
  get: (_, name) => (name === 'now' ? shifted : Reflect.get(True, name)),
});

function tell() {
  appendFileSync(log, `${at} ${Math.round((Date.now() - True.now()) / hour)}\n`);
}

if (at >= 0) tell();
if (by !== 0)
  setTimeout(() => {
    by = -by;
    tell();
  }, 4000).unref();
