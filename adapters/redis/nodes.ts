import { StoreUnavailableError } from '../../src/adapter/index.js';
import type { Address, Command, Reply } from './client.js';
import type { Source } from './connection.js';
import { Node, type NodeHost } from './node.js';
import { spelledOut } from './scripts.js';
import { readSlots, redirection, slotOf } from './slots.js';

/**
 * Which node a key lies on. A single server is a Cluster of one node here, with nothing to route.
 *
 * In a Cluster we keep the map of slots ourselves and have one connection for each master, made as any other: looked
 * at before it is used. The map may be old; a node says so (MOVED, ASK), and the command follows once it is known where
 * to. Replicas are never asked.
 */
export interface Nodes {
  readonly cluster: boolean;
  all(): readonly Node[];
  /** Undefined: nobody has the slot, as far as is known. */
  of(key: string): Node | undefined;
  at(address: Address): Node | undefined;
  /** Asks for the map of slots, soon, unless that has just been done. */
  refresh(): void;
  close(): void;
}

export function singleNode(source: Source, host: NodeHost): Nodes {
  const [{ host: where, port }] = source.seeds as [Address];
  const node = new Node(port ? `${where}:${port}` : where, undefined, (attempts) => source.connect(attempts), host);
  return {
    cluster: false,
    all: () => [node],
    of: () => node,
    at: () => undefined,
    refresh() {},
    close: () => node.close(),
  };
}

/** Milliseconds between two questions for the map of slots, and what an answer may take. */
const refreshEvery = 200;
const refreshTimeout = 1000;

/** @param onMoved - slots have changed hands */
export function clusterNodes(source: Source, host: NodeHost, onMoved: () => void): Nodes {
  let nodes = new Map<string, Node>();
  let owners: (Node | undefined)[] = [];
  let callOff: (() => void) | undefined;
  let asking = false;
  let closed = false;
  let lastAsked = Number.NEGATIVE_INFINITY;
  let turn = 0;
  let fruitless = 0;

  const nodeAt = (address: Address, among = nodes) => {
    const name = `${address.host}:${address.port}`;
    let node = among.get(name) ?? nodes.get(name);
    node ??= new Node(name, address, (attempts) => source.connect(attempts, address), host);
    among.set(name, node);
    return node;
  };
  const ask = async () => {
    callOff = undefined;
    lastAsked = host.clock.now();
    // In turns: one that answers nonsense, or nothing, must not be the only one asked. Whether it is trusted does not
    // matter: the map is a hint, and each node that it names is looked at before it is used.
    const ready = [...nodes.values()].filter((node) => node.link.ready);
    const asked = ready[turn++ % Math.max(1, ready.length)];
    if (asked === undefined) {
      lastAsked = Number.NEGATIVE_INFINITY;
      // All masters that we know may have been replaced together.
      if (++fruitless % 20 === 0) for (const seed of source.seeds) nodeAt(seed);
      return;
    }
    asking = true;
    const [reply] = await asked.link.send([['cluster', 'slots']], refreshTimeout).catch(() => []);
    asking = false;
    if (!closed && reply !== undefined) take(readSlots(reply, asked.address as Address));
  };
  const take = (ranges: ReturnType<typeof readSlots>) => {
    if (ranges.length === 0) return;
    fruitless = 0;
    const next = new Map<string, Node>();
    const owned: (Node | undefined)[] = new Array(16384).fill(undefined);
    for (const { first, last, master } of ranges) owned.fill(nodeAt(source.translate(master), next), first, last + 1);
    const moved = owners.length > 0 && owned.some((node, slot) => node !== owners[slot]);
    const gone = [...nodes.values()].filter((node) => next.get(node.name) !== node);
    nodes = next;
    owners = owned;
    for (const node of gone) node.close();
    if (moved) onMoved();
  };

  for (const seed of source.seeds) nodeAt(seed);
  return {
    cluster: true,
    all: () => [...nodes.values()],
    of: (key) => owners[slotOf(key)],
    at(address) {
      const { host: where, port } = source.translate(address);
      return nodes.get(`${where}:${port}`);
    },
    refresh() {
      if (closed || asking || callOff) return;
      const wait = Math.max(0, lastAsked + refreshEvery - host.clock.now());
      callOff = host.clock.after(wait, () => void ask());
    },
    close() {
      closed = true;
      callOff?.();
      for (const node of nodes.values()) node.close();
    },
  };
}

// ---- sending ------------------------------------------------------------------------------------------------------

/** A command and the key that decides where it goes. */
export interface Errand {
  readonly key: string;
  readonly command: Command;
}

/** So often a command is sent again because its node said something else than an answer. */
const maxRounds = 16;
/** Of these, so often because half of its keys were elsewhere. */
const maxWaits = 5;
/** So many commands are sent to a node at a time. */
const portion = 1000;

/**
 * Carries out `errands`, in one chunk for each node unless they are many, and resolves with the answers in order; never rejects, since one
 * node may fail while the others answer: an error, also that of a node, is a value. Follows redirections, and spells
 * scripts out where the server does not know them.
 */
export async function carryOut(
  nodes: Nodes,
  errands: readonly Errand[],
  timeout: number,
  clock: NodeHost['clock'],
): Promise<Reply[]> {
  const replies: Reply[] = new Array(errands.length).fill(homeless);
  const end = clock.now() + timeout;
  let open: Step[] = [];
  for (let i = 0; i < errands.length; i++) {
    const { key, command } = errands[i] as Errand;
    const node = nodes.of(key);
    if (node) open.push({ i, command, node, ask: false, waits: 0, wait: false });
    else nodes.refresh();
  }
  for (let round = 0; open.length > 0 && round < maxRounds; round++) {
    const left = round === 0 ? timeout : end - clock.now();
    if (left <= 0) break;
    const byNode = new Map<Node, Step[]>();
    for (const step of open) {
      const steps = byNode.get(step.node);
      if (steps) steps.push(step);
      else byNode.set(step.node, [step]);
    }
    await Promise.all([...byNode].map(([node, steps]) => visit(node, steps, left, replies)));
    open = open.flatMap((step) => nextStep(nodes, step, replies[step.i] as Reply, errands[step.i] as Errand) ?? []);
    if (open.some(({ wait }) => wait)) await new Promise<void>((resolve) => clock.after(10, resolve));
  }
  return replies;
}

interface Step {
  readonly i: number;
  readonly command: Command;
  readonly node: Node;
  /** Whether the node has to be told that it is asked for a key that is only about to be its own. */
  readonly ask: boolean;
  /** Whether to wait a moment before, and how often that was. */
  readonly wait: boolean;
  readonly waits: number;
}

const homeless = new StoreUnavailableError('no node of the cluster is known to have this key');

/**
 * In portions, each with the whole time-out: what a burst has to ask can be more than a server answers in that, and
 * neither heartbeats nor anybody else's questions should wait behind all of it.
 */
async function visit(node: Node, steps: readonly Step[], timeout: number, replies: Reply[]): Promise<void> {
  for (let from = 0; from < steps.length; from += portion) {
    const some = steps.slice(from, from + portion);
    const commands = some.flatMap(({ ask, command }): Command[] => (ask ? [['asking'], command] : [command]));
    try {
      const answers = await node.send(commands, timeout);
      let at = 0;
      for (const { i, ask } of some) {
        if (ask) at++;
        replies[i] = answers[at++] as Reply;
      }
    } catch (error) {
      for (const { i } of steps.slice(from)) replies[i] = error as Error;
      return;
    }
  }
}

function nextStep(nodes: Nodes, step: Step, reply: Reply, { key }: Errand): Step | undefined {
  if (!(reply instanceof Error)) return undefined;
  const full = spelledOut(step.command, reply);
  if (full) return { ...step, command: full, wait: false };
  if (!nodes.cluster) return undefined;
  const redirected = redirection(reply);
  if (redirected) {
    nodes.refresh();
    const node = nodes.at({ ...redirected.to, host: redirected.to.host || (step.node.address as Address).host });
    return node && { ...step, node, ask: redirected.ask, wait: false };
  }
  // Half of the keys of a script are on their way to another node: a moment later they have arrived.
  const node = nodes.of(key);
  if (!node || step.waits >= maxWaits || !/^(TRYAGAIN|CLUSTERDOWN)/.test(reply.message)) return undefined;
  return { ...step, node, wait: true, waits: step.waits + 1 };
}
