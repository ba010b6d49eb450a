import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, waitUntilReady } from "../../scripts/processes.ts";
import { limit } from "./limits.ts";
import { environmentOf, type Stack } from "./stack.ts";

const START_MS = limit(60_000);
const CHECKOUT = join(import.meta.dirname, "../..");

/** What a gateway in production needs. Nothing sends messages: the worker does. */
export const PRODUCTION = {
  NODE_ENV: "production",
  SMS_GATEWAY: "smpp",
  SMPP_URL: "smpp://id:password@127.0.0.1:1",
  SMPP_FROM: "Bank",
  SMS_PER_HOUR: "1000",
  SMS_PER_COUNTRY_AND_HOUR: "1000",
};

/**
 * A gateway as it is deployed: its own process, a real port and the machine's clock. It uses the
 * stack's stores; `variables` add to its environment. Call `stop()` at the end.
 */
export async function startGateway(stack: Stack, variables: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "second-step-gateway-"));
  const logFile = join(folder, "gateway.log");
  const { DATABASE_URL, REDIS_URL } = stack.deps.config;
  const child = launch({
    name: "gateway",
    program: process.execPath,
    args: ["--import", "tsx", "api/server.ts"],
    cwd: CHECKOUT,
    env: {
      ...process.env,
      ...environmentOf(DATABASE_URL, REDIS_URL, stack.temporal),
      PORT: "0",
      ...variables,
    },
    logFile,
  });
  const logs = () => readFileSync(logFile, "utf8").split("\n").filter(Boolean);
  const ready = async () => {
    const line = logs().find((text) => text.includes('"gateway ready"'));
    if (!line) throw new Error("it does not say that it is ready");
    return JSON.parse(line).port as number;
  };
  await waitUntilReady(child, async () => void (await ready()), START_MS);
  const port = await ready();

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Every line that the process has written. */
    logs,
    /** Asks the process to end. Resolves with how it ended. */
    async stop(): Promise<string> {
      await child.stop();
      const end = await child.exited;
      rmSync(folder, { recursive: true });
      return end;
    },
  };
}

export type Gateway = Awaited<ReturnType<typeof startGateway>>;
