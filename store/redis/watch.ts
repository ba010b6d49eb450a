const PING_MS = 500;
const ANSWER_MS = 1_000;

type Connection = {
  isOpen: boolean;
  isReady: boolean;
  ping(): Promise<unknown>;
  connect(): Promise<unknown>;
  destroy(): void;
};

/**
 * The client does not bound how long a command waits for its answer. So a ping that is not answered
 * in time ends the connection and every command on it, and a new one is made. `connections` tells
 * which to ask, undefined once there will be none.
 */
export function watch(
  connections: () => readonly Connection[] | undefined,
  onError: (error: Error) => void,
) {
  const pinging = new WeakSet<Connection>();
  const ask = async (connection: Connection) => {
    if (!connection.isReady || pinging.has(connection)) return;
    pinging.add(connection);
    let answered = false;
    const late = setTimeout(() => {
      // A reply that this process was too busy to read is read before this runs.
      setImmediate(() => {
        if (answered || !connection.isOpen) return;
        connection.destroy();
        connection.connect().catch(onError);
      });
    }, ANSWER_MS);
    await connection.ping().catch(() => {});
    answered = true;
    pinging.delete(connection);
    clearTimeout(late);
  };
  const timer = setInterval(() => {
    const asked = connections();
    if (!asked) return clearInterval(timer);
    for (const connection of asked) ask(connection);
  }, PING_MS);
  timer.unref();
}
