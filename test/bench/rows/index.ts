import type { Row } from '../row.js';

/** The rows there are, in the order of the table. */
export const rows: Readonly<Record<string, () => Promise<{ readonly row: Row }>>> = {
  'hit-small': () => import('./hit-small.js'),
  'hit-list': () => import('./hit-list.js'),
  'hit-tags': () => import('./hit-tags.js'),
  wrapped: () => import('./wrapped.js'),
  'watched-hit': () => import('./watched-hit.js'),
  'verified-hit': () => import('./verified-hit.js'),
  'stored-hit': () => import('./stored-hit.js'),
  'stored-list': () => import('./stored-list.js'),
  'stored-miss': () => import('./stored-miss.js'),
  'stored-many': () => import('./stored-many.js'),
  invalidate: () => import('./invalidate.js'),
  stampede: () => import('./stampede.js'),
  'stampede-isolates': () => import('./stampede-isolates.js'),
  'mixed-isolates': () => import('./mixed-isolates.js'),
  'heap-hit': () => import('./heap-hit.js'),
  'heap-entry': () => import('./heap-entry.js'),
  import: () => import('./import.js'),
};
