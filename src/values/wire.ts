import { Packr } from 'msgpackr/pack';

/**
 * Values as bytes, without loss: what comes back is deeply equal to what went in, prototypes included, or writing it
 * throws.
 *
 * msgpackr writes and reads the bytes, but sees nothing besides strings, numbers, booleans, null and arrays. Its
 * extensions are one table for the whole process: another user of the module could change what our Dates become, and
 * hostile bytes could call what anybody registered. So everything else is put into arrays here, whose last element
 * says what they are:
 *
 *     [1, 'a', ARRAY]   [1700000000000, DATE]   [7, 'Ann', FIRST_SHAPE + 0]   with shape 0 = ['id', 'name']
 *
 * Objects name their properties once per shape, which makes a list of rows half as long as JSON. The whole is
 * `[shapes…, value]`, packed, and after it the bytes of Buffers and typed arrays in the order in which they are met.
 *
 * Reading trusts nothing: `plain` checks every length and token before msgpackr sees them.
 */
export const ARRAY = 0;
export const UNDEFINED = 1;
export const NEGATIVE_ZERO = 2;
export const DATE = 3;
export const BIGINT = 4;
export const MAP = 5;
export const SET = 6;
export const BYTES = 7;
export const BUFFER = 8;
export const REGEXP = 9;
export const ERROR = 10;
export const BARE = 11;
export const INSTANCE = 12;
/** A string that UTF-8 cannot carry, as the base64 of its code units. */
export const UNITS = 13;
export const FIRST_SHAPE = 16;

export const packr = new Packr({ useRecords: false });
