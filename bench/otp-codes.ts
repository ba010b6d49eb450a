import { generateSync } from "otplib";
import type { Person } from "./people.ts";

const STEP_S = 30;
const lastSteps = new Map<string, number>();

/**
 * An unused code of the user's app. Each code works once; the service also takes the next step's
 * code.
 */
export function nextCode({ username, secret }: Pick<Person, "username" | "secret">): string {
  const now = Math.floor(Date.now() / 1000 / STEP_S);
  const step = Math.max(now, (lastSteps.get(username) ?? 0) + 1);
  if (step > now + 1) throw new Error("Too few users: make more with --users");
  lastSteps.set(username, step);
  return generateSync({ secret, epoch: step * STEP_S });
}
