/**
 * Copies of like-shaped objects that share one hidden class.
 *
 * An object that is spread and then frozen gets a hidden class of its own from V8 (Node 20 to 26: measured), some 600
 * bytes for a row of 24 columns, and code that reads a list of such rows finds another class in each. An object written
 * as a literal shares its class with all others of that literal, frozen or not. So once a shape has been seen often, a
 * literal for it is compiled. Where code may not be made from text, and for shapes that come once, rows are spread.
 */
type Builder = (from: Record<string, unknown>) => Record<string, unknown>;

interface Shape {
  readonly names: readonly string[];
  times: number;
  build: Builder | undefined;
}

/** By the name of the first property: rows of one table begin alike, a row and what it nests hardly ever do. */
const shapes = new Map<string, Shape>();
const maxShapes = 1000;
/** Beyond, V8 keeps properties in a table, and classes do not matter. */
const maxNames = 100;
/** So often a shape must come in a row before it is worth compiling. */
const often = 16;
let mayCompile = true;

/** A copy of a plain object's own properties, in their order. */
export function copyProperties(from: Record<string, unknown>): Record<string, unknown> {
  if (!mayCompile) return { ...from };
  const names = Object.keys(from);
  const first = names[0];
  if (first === undefined || names.length > maxNames) return { ...from };
  const shape = shapes.get(first);
  if (shape === undefined || !sameNames(shape.names, names)) {
    if (shapes.size >= maxShapes) shapes.clear();
    shapes.set(first, { names, times: 0, build: undefined });
    return { ...from };
  }
  if (shape.build === undefined) {
    if (++shape.times < often) return { ...from };
    shape.build = compile(names);
  }
  return shape.build(from);
}

function sameNames(known: readonly string[], names: readonly string[]): boolean {
  if (known.length !== names.length) return false;
  for (let at = 0; at < names.length; at++) if (known[at] !== names[at]) return false;
  return true;
}

/** Names are data of the user's: as JSON texts they are texts in the code as well, whatever they contain. */
function compile(names: readonly string[]): Builder {
  const properties = names.map((name) => {
    const text = JSON.stringify(name);
    // In brackets it is a property like any other, and not the prototype.
    return `${name === '__proto__' ? `[${text}]` : text}:from[${text}]`;
  });
  try {
    return new Function('from', `return {${properties.join()}}`) as Builder;
  } catch {
    mayCompile = false; // --disallow-code-generation-from-strings
    return (from) => ({ ...from });
  }
}
