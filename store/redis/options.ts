import { scripts } from "./scripts/scripts.ts";

/** The options of every connection to Redis, to one server or to a node of a cluster. */
export const redisOptions = {
  scripts,
  // While Redis is down, commands fail at once instead of waiting in a queue.
  disableOfflineQueue: true,
  // A timer for each command costs more than the command. `watch` limits how long a command waits.
  commandOptions: { timeout: undefined },
  socket: {
    connectTimeout: 1_000,
    // Also limits the handshake of a new connection, which `watch` does not see. Longer than the
    // ping interval.
    socketTimeout: 2_000,
    reconnectStrategy: 250,
  },
};
