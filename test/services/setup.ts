import type { TestProject } from 'vitest/node';
import { type Services, startServices } from './index.js';

declare module 'vitest' {
  export interface ProvidedContext {
    services: Partial<Services>;
  }
}

/** vitest's globalSetup of the integration project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = performance.now();
  const { services, missing, stop } = await startServices([
    ...(['redis', 'cluster', 'sentinel'] as const),
    ...(['postgres', 'mysql', 'sqlite', 'psql', 'mysqlClient'] as const),
  ]);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const line = `services: ${Object.keys(services).join(', ') || 'none'} ready in ${seconds} s`;
  if (missing.length === 0) console.log(line);
  else {
    const text = [line, ...missing.map((it) => `  missing ${it}`)].join('\n');
    // Skipped tests must not look like passed ones where nobody reads the output.
    if (process.env.CI || process.env.UNSTALE_TEST_STRICT) {
      await stop();
      throw new Error(text);
    }
    console.warn(`${text}\n  tests that need them are skipped`);
  }
  project.provide('services', services);
  return stop;
}
