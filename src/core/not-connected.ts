/**
 * What `borrow` of a driver rejects with before its client is connected, and afterwards. Libraries connect when they are
 * first used, and who borrows must not make them do so: that is no failure.
 */
export const notConnected = new Error('The client is not connected.');
