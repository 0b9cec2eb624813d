/** What an error says, and those that it was made of: drivers and ORMs wrap them, each in its way. */
export function wordsOf(error: unknown): string {
  const words: string[] = [];
  for (let [it, depth] = [error, 0]; typeof it === 'object' && it !== null && depth < 8; depth++) {
    const { code, message, originalMessage, driverError, cause } = it as Record<string, unknown>;
    words.push(String(code), String(message), String(originalMessage));
    it = driverError ?? cause;
  }
  return words.join('\n');
}
