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
 * The client has no time limit for the answer to a command. So if a ping is not answered in time,
 * the connection is closed, with every command on it, and a new one is opened. `connections`
 * returns the connections to ping, or undefined to stop.
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
