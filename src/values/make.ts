import { Unfit } from './fault.js';
import { errors, views } from './kind.js';

/** Making objects again from what they consist of: for the reader of stored bytes and for copies in memory. */

/** An own property, whatever its name: assigning to `__proto__` would change the prototype instead. */
export function define(target: object, name: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, name, { value, enumerable, configurable: true, writable: true });
}

export function withPrototype(prototype: object | null, properties: object): object {
  const object = Object.create(prototype) as object;
  for (const name of Object.keys(properties)) define(object, name, Reflect.get(properties, name));
  return object;
}

/** A view on `bytes`, which it may keep. Numbers are those of {@link views}. */
export function makeView(type: number, bytes: Uint8Array<ArrayBuffer>): ArrayBufferView {
  const View = views[type];
  if (View === undefined) throw new Unfit();
  return type === 0 ? Buffer.from(bytes.buffer) : new View(bytes.buffer);
}

export function viewTypeOf(view: ArrayBufferView): number {
  return views.findIndex(({ prototype }) => prototype === Object.getPrototypeOf(view));
}

/** The bytes that a view or a buffer shows, in memory that nobody else holds. */
export function copyBytes(of: ArrayBufferView | ArrayBufferLike): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(of)
    ? (new Uint8Array(of.buffer, of.byteOffset, of.byteLength).slice() as Uint8Array<ArrayBuffer>)
    : (new Uint8Array(of).slice() as Uint8Array<ArrayBuffer>);
}

/** Own properties of an error: what was assigned to it is enumerable; message, stack and cause are not. */
export function errorParts(error: object): { type: number; shown: object; hidden: object } {
  const shown = Object.create(null) as object;
  const hidden = Object.create(null) as object;
  for (const name of Object.getOwnPropertyNames(error))
    define(Object.prototype.propertyIsEnumerable.call(error, name) ? shown : hidden, name, Reflect.get(error, name));
  return { type: errors.findIndex(({ prototype }) => prototype === Object.getPrototypeOf(error)), shown, hidden };
}

export function makeError(type: number, shown: object, hidden: object): Error {
  const Class = errors[type];
  if (Class === undefined) throw new Unfit();
  const error = new (Class as new (errors: unknown[]) => Error)([]); // only AggregateError reads it as it is meant; all of it goes again
  for (const name of Object.getOwnPropertyNames(error)) Reflect.deleteProperty(error, name);
  for (const name of Object.keys(hidden)) define(error, name, Reflect.get(hidden, name), false);
  for (const name of Object.keys(shown)) define(error, name, Reflect.get(shown, name));
  return error;
}
