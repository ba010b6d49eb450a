/** Node's own codes for a server that cannot be reached. */
const NETWORK = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/**
 * SQLSTATE classes and codes (PostgreSQL appendix A): connection exceptions, insufficient
 * resources, shutdown or crash of the server, and a statement that reached its timeout.
 */
const SQLSTATE = /^(08...|53...|57014|57P0[1-5]|25P0[34])$/;

/** Messages of `pg` errors without a code: a connection was lost, is late, or is closing. */
const PG_MESSAGE =
  /^(Connection terminated|timeout e|Client (was closed|has encountered a connection error)|Cannot use a pool after|Query read timeout)/;

/** Thrown for a Redis that answers, but is not the one that belongs to PostgreSQL. */
export class DoubtfulRedis extends Error {}

const REDIS_ERROR = new Set([
  "ClientClosedError",
  "ClientOfflineError",
  "ConnectionTimeoutError",
  "DisconnectsClientError",
  "MaxCommandRedirectionsError",
  "ReconnectStrategyError",
  "RootNodesUnavailableError",
  "SocketClosedUnexpectedlyError",
  "SocketTimeoutError",
  "TimeoutError",
]);

/**
 * Replies of a Redis that is up but cannot serve: starting, failing over, full or stuck. The last
 * is the client's own message when a node of a cluster names a node that no other knows.
 */
const REDIS_REPLY =
  /^(LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|READONLY|MISCONF|NOREPLICAS|OOM|TRYAGAIN|Cannot find node)/;

/**
 * Whether the error means that PostgreSQL or Redis is down (answered with 503), not that the
 * request or this program is wrong. Also checks `cause`.
 */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) {
    return false;
  }
  const { code } = error as { code?: unknown };
  return (
    (typeof code === "string" && (NETWORK.has(code) || SQLSTATE.test(code))) ||
    error instanceof DoubtfulRedis ||
    REDIS_ERROR.has(error.constructor.name) ||
    PG_MESSAGE.test(error.message) ||
    REDIS_REPLY.test(error.message) ||
    (error instanceof AggregateError && error.errors.some(isUnavailable)) ||
    isUnavailable(error.cause)
  );
}
