const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;

/** Something is missing in Temporal that this client may not make. The message says what. */
export class ToBeMade extends Error {}

/** Whether the server keeps this call for others, as Temporal Cloud and locked-down clusters do. */
export function isKeptForOthers(error: unknown): boolean {
  const { code } = error as { code?: number };
  return code === PERMISSION_DENIED || code === UNIMPLEMENTED;
}

/**
 * The outcome of a call. If the server keeps it for others, throws `ToBeMade` with these commands of
 * `temporal operator`, which do the same.
 */
export async function orCommands<T>(call: Promise<T>, commands: string[]): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!isKeptForOthers(error)) throw error;
    const lines = commands.map((command) => `  temporal operator ${command}`);
    const words =
      "this client may not make what is missing. Have it made, then run this again. " +
      "In Temporal Cloud its console makes the same; elsewhere these commands do:";
    throw new ToBeMade([words, ...lines].join("\n"), { cause: error });
  }
}
