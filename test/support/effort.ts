/** How many cases to try: in the quick loop (`npm run check`, which sets `UNSTALE_QUICK`), a tenth. `npm test` tries all. */
export function effort(count: number): number {
  return process.env.UNSTALE_QUICK ? Math.ceil(count / 10) : count;
}
