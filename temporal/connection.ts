import { setTimeout } from "node:timers/promises";
import {
  Connection,
  type ConnectionOptions,
  isRetryableError,
  makeGrpcRetryInterceptor,
} from "@temporalio/client";
import type { Config } from "../config.ts";
import { noteCertificate } from "../telemetry/certificates.ts";
import { IN_FLIGHT } from "./troubles.ts";

const GRPC_TRIES = 4;
const RECONNECT_MS = 1000;
/** By how much a timer may be late, in ms. */
const TIMER_MS = 50;

/** The settings that say how to reach Temporal. */
export const TEMPORAL_SETTINGS = [
  "TEMPORAL_ADDRESS",
  "TEMPORAL_TLS",
  "TEMPORAL_TLS_CA",
  "TEMPORAL_TLS_CERT",
  "TEMPORAL_TLS_KEY",
  "TEMPORAL_TLS_SERVER_NAME",
  "TEMPORAL_API_KEY",
] as const satisfies (keyof Config)[];

/** Where Temporal is, and what it asks of its clients. */
export type TemporalServer = Pick<ConnectionOptions, "address" | "tls"> & { apiKey?: string };

/** How every connection reaches Temporal: the gateway's, the worker's and those of commands. */
export function temporalServer(
  config: Pick<Config, (typeof TEMPORAL_SETTINGS)[number]>,
): TemporalServer {
  const octets = (pem?: string) => (pem === undefined ? undefined : Buffer.from(pem));
  const [crt, key] = [octets(config.TEMPORAL_TLS_CERT), octets(config.TEMPORAL_TLS_KEY)];
  const tls = {
    serverNameOverride: config.TEMPORAL_TLS_SERVER_NAME,
    serverRootCACertificate: octets(config.TEMPORAL_TLS_CA),
    clientCertPair: crt && key ? { crt, key } : undefined,
  };
  return {
    address: config.TEMPORAL_ADDRESS,
    tls: config.TEMPORAL_TLS ? tls : undefined,
    apiKey: config.TEMPORAL_API_KEY,
  };
}

/** Remembers when the certificates for Temporal expire, for the metric. */
export function noteTemporalCertificates(
  config: Pick<Config, "TEMPORAL_TLS_CERT" | "TEMPORAL_TLS_CA">,
): void {
  const { TEMPORAL_TLS_CERT: own, TEMPORAL_TLS_CA: authority } = config;
  if (own) noteCertificate("temporal_client", own);
  if (authority) noteCertificate("temporal_authority", authority);
}

/** How Temporal is reached, for a log line: no key and no certificate. */
export const shownServer = ({ address, tls, apiKey }: TemporalServer) => ({
  address,
  tls: Boolean(tls),
  clientCertificate: typeof tls === "object" && tls?.clientCertPair !== undefined,
  apiKey: apiKey !== undefined,
});

/**
 * A connection for requests that somebody waits for. It is lazy, so the gateway starts while
 * Temporal is down and can report that. Calls are retried for less time than a program waits, and a
 * server that is back is found within a second. The SDK's own values are 18 s and two minutes.
 * Closing it waits for the tries that are due, because the SDK's timer of a try throws to nobody
 * when it finds the connection closed.
 */
export function connectTemporal(server: TemporalServer): Connection {
  let closing = false;
  let lastTryAt = 0;
  const retry = makeGrpcRetryInterceptor({
    delayFunction: (attempt) => {
      const delayMs = 50 * 2 ** attempt;
      lastTryAt = Math.max(lastTryAt, performance.now() + delayMs);
      return delayMs;
    },
    retryableDecider: (attempt, status) =>
      !closing &&
      attempt < GRPC_TRIES &&
      isRetryableError(status) &&
      !IN_FLIGHT.test(status.details),
  });
  const connection = Connection.lazy({
    ...server,
    interceptors: [retry],
    channelArgs: { "grpc.max_reconnect_backoff_ms": RECONNECT_MS },
  });
  const close = connection.close.bind(connection);
  connection.close = async () => {
    closing = true;
    await setTimeout(lastTryAt - performance.now() + TIMER_MS);
    await close();
  };
  return connection;
}
