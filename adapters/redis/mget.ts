import { StoreUnavailableError } from '../../src/adapter/index.js';
import type { Command, Reply, Value } from './client.js';
import { unavailable } from './errors.js';
import type { Node } from './node.js';

/** What has to be there still when keys are read. */
export interface Witness {
  /** The record of trust. */
  readonly key: string;
  readonly epoch: string | undefined;
}

/**
 * The values of `keys` on a single server; errors are values. One MGET, or a few in one chunk: an answer of megabytes
 * would keep the server from everybody else's.
 *
 * With a witness the answer counts only if the record of trust was there, unchanged, after the keys were read. Somebody
 * who empties a server takes the fences with it, and the next heartbeat would come too late: what was loaded meanwhile
 * from under a fence that is gone could be served.
 *
 * @param bytesOf - about how many bytes the value of the nth key has
 */
export async function mget(
  node: Node,
  keys: readonly string[],
  bytesOf: (n: number) => number,
  timeout: number,
  witness: Witness | undefined,
): Promise<Value[]> {
  const commands = split(keys, bytesOf);
  const record: Command[] = witness ? [['hget', witness.key, 'epoch']] : [];
  const replies = await node.send([...commands, ...record], timeout);
  if (witness) refuseOther(node, witness, replies.pop());
  if (replies.length === 1 && Array.isArray(replies[0])) return replies[0] as Value[];
  return replies.flatMap((reply, i) =>
    Array.isArray(reply)
      ? (reply as Value[])
      : new Array<Value>((commands[i] as Command).length - 1).fill(reply as Value),
  );
}

function split(keys: readonly string[], bytesOf: (n: number) => number): Command[] {
  const commands: Command[] = [];
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < keys.length; i++) {
    bytes += bytesOf(i);
    if (bytes < maxBytes && i - from < maxKeys - 1 && i < keys.length - 1) continue;
    commands.push(['mget', ...keys.slice(from, i + 1)]);
    from = i + 1;
    bytes = 0;
  }
  return commands;
}

/** @throws StoreUnavailableError when the record is not what it was */
function refuseOther(node: Node, { epoch }: Witness, found: Reply | undefined): void {
  if (found instanceof Error) throw unavailable(found);
  if (Buffer.isBuffer(found) && found.toString() === epoch) return;
  node.check();
  throw new StoreUnavailableError('it has lost what it knew');
}

const maxBytes = 64 * 1024;
const maxKeys = 512;
