import { afterAll, beforeAll } from "vitest";
import { gatewayBehindLinks } from "./links.ts";
import { type Stack, startStack } from "./stack.ts";

/** What a test file uses from its first test to its last: started before, stopped after. */
export function used<Part extends { stop(): unknown }>(
  start: () => Promise<Part>,
  startMs?: number,
): Part {
  const part = {} as Part;
  beforeAll(async () => void Object.assign(part, await start()), startMs);
  // Where the start has failed there is nothing to stop.
  afterAll(async () => void (await part.stop?.()));
  return part;
}

/** A stack for one test file. */
export const useStack = (options?: Parameters<typeof startStack>[0]): Stack =>
  used(() => startStack(options));

/** A second gateway over it whose ways to the stores and to Temporal can be broken. */
export const useGatewayBehindLinks = (stack: Stack) => used(() => gatewayBehindLinks(stack));
