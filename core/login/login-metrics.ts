import { type Facts, publish } from "../../telemetry/facts.ts";
import { codeOf } from "../outages.ts";

type Step = Facts["login-step"];

/**
 * Awaits a step of a login and publishes its outcome: what `ended` says, or the problem's code, with
 * the method `tried`.
 */
export async function measured<Result>(
  step: Step["step"],
  work: Promise<Result>,
  ended: (result: Result) => Omit<Step, "step">,
  tried?: string,
): Promise<Result> {
  try {
    const result = await work;
    publish("login-step", { step, ...ended(result) });
    return result;
  } catch (error) {
    publish("login-step", { step, outcome: codeOf(error), method: tried });
    throw error;
  }
}
