/** The warnings of unstale that `fn` causes: Node hands them out a tick later. */
export async function warningsOf(fn: () => unknown): Promise<(Error & { code?: string })[]> {
  const heard: (Error & { code?: string })[] = [];
  const listener = (warning: Error) => {
    if (warning.name === 'UnstaleWarning') heard.push(warning);
  };
  process.on('warning', listener);
  try {
    await fn();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('warning', listener);
  }
  return heard;
}
