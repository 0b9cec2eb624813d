/** A statement that is not surely understood. Caught at the top: the statement becomes opaque, for this reason. */
export class Unreadable extends Error {}
