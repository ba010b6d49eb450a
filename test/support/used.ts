import { afterAll, beforeAll } from "vitest";
import { gatewayBehindLinks } from "./links.ts";
import { type Stack, startStack } from "./stack.ts";

/** Something that a test file starts before its first test and stops after its last. */
export function used<Part extends { stop(): unknown }>(
  start: () => Promise<Part>,
  startMs?: number,
): Part {
  const part = {} as Part;
  beforeAll(async () => void Object.assign(part, await start()), startMs);
  // If the start failed, there is nothing to stop.
  afterAll(async () => void (await part.stop?.()));
  return part;
}

/** A stack for one test file. */
export const useStack = (options?: Parameters<typeof startStack>[0]): Stack =>
  used(() => startStack(options));

/**
 * A second gateway of the stack whose connections to the stores and to Temporal a test can break.
 */
export const useGatewayBehindLinks = (stack: Stack) => used(() => gatewayBehindLinks(stack));
