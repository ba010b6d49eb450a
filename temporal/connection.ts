import { Connection, isRetryableError, makeGrpcRetryInterceptor } from "@temporalio/client";
import { IN_FLIGHT } from "./troubles.ts";

const GRPC_TRIES = 4;
const RECONNECT_MS = 1000;

/**
 * A connection for requests that somebody waits for. It is lazy, so the gateway starts while
 * Temporal is down and can report that. Calls are retried for less time than a program waits, and a
 * server that is back is found within a second. The SDK's own values are 18 s and two minutes.
 */
export function connectTemporal(address: string): Connection {
  const retry = makeGrpcRetryInterceptor({
    delayFunction: (attempt) => 50 * 2 ** attempt,
    retryableDecider: (attempt, status) =>
      attempt < GRPC_TRIES && isRetryableError(status) && !IN_FLIGHT.test(status.details),
  });
  return Connection.lazy({
    address,
    interceptors: [retry],
    channelArgs: { "grpc.max_reconnect_backoff_ms": RECONNECT_MS },
  });
}
