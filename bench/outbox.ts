import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";

const OUTBOX = "mfa:outbox";
const POLL_MS = 4;
const AT_ONCE = 100;
const PATIENCE_MS = 10_000;

/**
 * The codes that come by SMS. Messages are taken out of the development outbox, so that it stays
 * short.
 */
export async function openOutbox(redisUrl: string) {
  const redis = createClient({ url: redisUrl });
  redis.on("error", (error) => console.error(error.message));
  await redis.connect();
  const codes = new Map<string, string>();
  let waiting = 0;
  let polling = false;

  const poll = async () => {
    polling = true;
    while (waiting > 0) {
      for (const text of (await redis.rPopCount(OUTBOX, AT_ONCE)) ?? []) {
        const { to, body } = JSON.parse(text);
        codes.set(to, body.split(" ")[0]);
      }
      await sleep(POLL_MS);
    }
    polling = false;
  };

  return {
    /** Forgets what was sent before, so that `codeFor` waits for a new code. */
    forget: (to: string) => void codes.delete(to),
    /** The newest code sent to a number, as soon as it has come. */
    async codeFor(to: string): Promise<string> {
      waiting += 1;
      if (!polling) poll();
      try {
        for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
          const code = codes.get(to);
          if (code !== undefined && codes.delete(to)) return code;
          await sleep(POLL_MS);
        }
        throw new Error("No message came");
      } finally {
        waiting -= 1;
      }
    },
  };
}

export type Outbox = Awaited<ReturnType<typeof openOutbox>>;
