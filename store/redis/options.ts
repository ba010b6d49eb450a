import { scripts } from "./scripts/scripts.ts";

/** What every connection to Redis keeps to, to one server or to a node of a cluster. */
export const redisOptions = {
  scripts,
  // While Redis is away commands fail at once instead of waiting for it in a queue.
  disableOfflineQueue: true,
  // A timer for each command costs more than the command; `watch` bounds how long one waits.
  commandOptions: { timeout: undefined },
  socket: {
    connectTimeout: 1_000,
    // Also for the greeting of a new connection, which `watch` does not see; longer than it pings.
    socketTimeout: 2_000,
    reconnectStrategy: 250,
  },
};
