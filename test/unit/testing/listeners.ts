import type { StoreEvent, StoreListener } from '../../../src/core/store.js';

/** Nobody listens. */
export const quiet: StoreListener = { changed() {}, lost() {}, proven() {}, up() {}, report() {} };

/** A listener that writes down what it is told, one word a call. */
export function recorder(): StoreListener & { readonly heard: string[] } {
  const heard: string[] = [];
  return {
    heard,
    changed: (tag) => heard.push(`changed ${tag}`),
    lost: () => heard.push('lost'),
    proven: (at) => heard.push(`proven ${at}`),
    up: () => heard.push('up'),
    report: (event: StoreEvent) => heard.push(`report ${event.type}`),
  };
}
