import type { Dialect } from '../sql/index.js';

/**
 * Whether a statement that failed has surely changed nothing: the database itself has said that it failed, or it was
 * never sent. Otherwise the connection was lost, or somebody lost patience, between sending and hearing, and the
 * database may have carried it out, or may be about to.
 *
 * Doubt is the safe answer, so only what is known to be certain is. Wrapped errors are looked into: those of Drizzle and
 * Prisma have the driver's as their `cause`, those of TypeORM as `driverError`.
 */
export function isCertain(error: unknown, { name }: Dialect): boolean {
  // It runs in this process: there is nobody to lose on the way.
  if (name === 'sqlite') return true;
  const of = name === 'postgres' ? postgresSays : mysqlSays;
  for (let [it, depth] = [error, 0]; typeof it === 'object' && it !== null && depth < 8; depth++) {
    const says = of(it as Failure) ?? neverSent(it as Failure);
    if (says !== undefined) return says;
    const { driverError, cause } = it as Failure;
    it = driverError ?? cause;
  }
  return false;
}

/** What drivers put on their errors. */
interface Failure {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly errno?: unknown;
  readonly sqlState?: unknown;
  readonly fatal?: unknown;
  /** Prisma's name for the code of the database. */
  readonly originalCode?: unknown;
  readonly message?: unknown;
  readonly driverError?: unknown;
  readonly cause?: unknown;
}

/** Five digits and capitals, of which one is a digit: `EPIPE` is none. */
const sqlState = /^(?=.*\d)[\dA-Z]{5}$/;
/** A connection that failed; a statement of which the server itself does not know how far it got. */
const unknownStates = /^(08...|40003)$/;
/** A server that was told to stop, or that crashed, may have committed before it said so. */
const stopped = /^57P0/;

/** Undefined: this is not what a server says. */
function postgresSays({ code, originalCode, severity }: Failure): boolean | undefined {
  const state = String(originalCode ?? code);
  if (!sqlState.test(state)) return undefined;
  return !unknownStates.test(state) && !stopped.test(state) && severity !== 'FATAL' && severity !== 'PANIC';
}

/**
 * MySQL's ER_ERROR_DURING_COMMIT; ER_SERVER_SHUTDOWN, which Prisma tells without its SQLSTATE; MariaDB's
 * ER_CONNECTION_KILLED, since the KILL may have met a COMMIT.
 */
const unknownNumbers = new Set([1180, 1053, 1927]);

/** Undefined: this is not what a server says. */
function mysqlSays({ errno, sqlState: state, fatal, originalCode }: Failure): boolean | undefined {
  const number = Number(originalCode ?? errno);
  if (originalCode === undefined && (typeof state !== 'string' || !sqlState.test(state))) return undefined;
  if (fatal === true || unknownStates.test(String(state)) || unknownNumbers.has(number)) return false;
  // Numbers of servers; those of client libraries begin at 2000, those of MariaDB's connector at 45000.
  return (number >= 1000 && number < 2000) || (number >= 3000 && number < 45_000);
}

/** What drivers say of a connection that was gone before they were asked to use it. */
const gone = [
  /^Client (was closed|has encountered a connection error) and is not queryable$/,
  /^Can't add new command when connection is in closed state$/,
];

/** True, or undefined: nobody knows. */
function neverSent({ message }: Failure): true | undefined {
  return gone.some((text) => text.test(String(message))) || undefined;
}
