const said = new Set<string>();

/** A process warning (`process.on('warning')`, code `UNSTALE`), at most once for each `about`. */
export function warnOnce(about: string, message: string): void {
  if (said.has(about)) return;
  // What is said is bounded: names can come from user data when somebody builds functions in a loop.
  if (said.size >= 1000) said.clear();
  said.add(about);
  process.emitWarning(message, { type: 'UnstaleWarning', code: 'UNSTALE' });
}

/** Forgets what was said: for tests. */
export function forgetWarnings(): void {
  said.clear();
}
