/**
 * Where a request or an answer ends, in the two languages that pass by: without that nobody could tell whether a server
 * owes an answer, and how many answers a piece of a stream is.
 */
export interface Protocol {
  /** Takes what a client sends, piece by piece; the names of the requests that end in this piece, each of which gets one answer. */
  requests(): (piece: Buffer) => string[];
  /** Takes what a server sends, piece by piece; the answers that end in this piece. */
  answers(): (piece: Buffer) => Answer[];
  /** Behind which request the server speaks unasked, and one that changes nothing there. */
  readonly listening?: { readonly behind: string; readonly sound: string };
}

export interface Answer {
  readonly bytes: Buffer;
  /** What it is called when nobody asked for it. */
  readonly unasked?: string;
}

export const redis: Protocol = {
  listening: { behind: 'subscribe', sound: '*1\r\n$4\r\nPING\r\n' },
  requests: () => {
    const cut = cutter(endOfValue);
    // An array of texts, of which the first one is the command.
    return (piece) => cut(piece).map((bytes) => firstText(bytes).toLowerCase());
  },
  answers: () => {
    const cut = cutter(endOfValue);
    return (piece) =>
      cut(piece).map((bytes) => (firstText(bytes) === 'message' ? { bytes, unasked: 'message' } : { bytes }));
  },
};

export const postgres: Protocol = {
  requests: () => {
    let begun = false;
    let word = '';
    const cut = cutter((bytes, at) => endOfMessage(bytes, at, begun));
    return (piece) => {
      const names: string[] = [];
      // The first message has no type.
      if (!begun && cut(piece).length > 0) {
        begun = true;
        names.push('hello');
        piece = Buffer.alloc(0);
      }
      for (const message of cut(piece)) {
        const type = String.fromCharCode(message[0] as number);
        if (type === 'P' || type === 'Q') word = wordOf(message, type);
        if (type === 'Q' || type === 'S') names.push(word);
      }
      return names;
    };
  },
  answers: () => {
    let parts: Buffer[] = [];
    const cut = cutter((bytes, at) => endOfMessage(bytes, at, true));
    return (piece) => {
      const answers: Answer[] = [];
      for (const message of cut(piece)) {
        parts.push(message);
        // It is ready for the next one.
        if (message[0] !== code('Z')) continue;
        answers.push({ bytes: Buffer.concat(parts) });
        parts = [];
      }
      return answers;
    };
  },
};

/** Collects pieces, and gives out what is whole. */
function cutter(end: (bytes: Buffer, at: number) => number | undefined): (piece: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    rest = Buffer.concat([rest, piece]);
    const whole: Buffer[] = [];
    for (let to = end(rest, 0); to !== undefined; to = end(rest, 0)) {
      whole.push(rest.subarray(0, to));
      rest = rest.subarray(to);
    }
    return whole;
  };
}

/** The end of a value of RESP 2. */
function endOfValue(bytes: Buffer, at: number): number | undefined {
  const line = bytes.indexOf('\r\n', at);
  if (line < 0) return undefined;
  const type = bytes[at];
  const count = Number(bytes.toString('latin1', at + 1, line));
  let end: number | undefined = line + 2;
  if (type === code('$') && count >= 0) end += count + 2;
  if (type === code('*')) for (let i = 0; i < count && end !== undefined; i++) end = endOfValue(bytes, end);
  return end === undefined || end > bytes.length ? undefined : end;
}

/** The first text of an array that begins with one. */
function firstText(bytes: Buffer): string {
  const head = /^\*\d+\r\n\$(\d+)\r\n/.exec(bytes.toString('latin1', 0, 32));
  return head === null ? '' : bytes.toString('latin1', head[0].length, head[0].length + Number(head[1]));
}

function endOfMessage(bytes: Buffer, at: number, typed: boolean): number | undefined {
  const length = at + (typed ? 1 : 0);
  if (bytes.length < length + 4) return undefined;
  const end = length + bytes.readUInt32BE(length);
  return end > bytes.length ? undefined : end;
}

/** The first word of a statement; its name comes before it where it may have one. */
function wordOf(message: Buffer, type: 'P' | 'Q'): string {
  const from = type === 'Q' ? 5 : message.indexOf(0, 5) + 1;
  return /\w+/.exec(message.toString('latin1', from))?.[0].toLowerCase() ?? '';
}

function code(character: string): number {
  return character.charCodeAt(0);
}
