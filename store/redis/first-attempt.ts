type Connecting = {
  once(event: "error", hear: () => void): unknown;
  connect(): Promise<unknown>;
};

/**
 * Connects a client that tries for ever. Resolves once it is connected, or once the first attempt
 * has failed.
 */
export async function firstAttempt(client: Connecting, onError: (error: Error) => void) {
  await new Promise<void>((resolve) => {
    client.once("error", () => resolve());
    client.connect().then(
      () => resolve(),
      (error) => {
        onError(error);
        resolve();
      },
    );
  });
}
