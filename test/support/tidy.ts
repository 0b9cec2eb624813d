import { afterEach } from 'vitest';
import { endMade } from '../unit/core/a-cache.js';

// Run anew for each file of unit tests. They share their workers, which saves more than they take themselves; what a
// test leaves behind in the modules that they share too is ended here.
afterEach(endMade);
