import { ActivityFailure, ApplicationFailure, isCancellation } from "@temporalio/workflow";

/**
 * Turns a sending activity into the machine's fact about it. A failure is a fact too: its type,
 * never its message, which may quote a provider.
 */
export async function delivery<Sent extends string>(
  sent: Sent,
  send: Promise<void>,
): Promise<{ type: Sent } | { type: "DELIVERY_FAILED"; reason: string }> {
  try {
    await send;
    return { type: sent };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const cause = error instanceof ActivityFailure ? error.cause : error;
    const reason = cause instanceof ApplicationFailure ? cause.type : undefined;
    return { type: "DELIVERY_FAILED", reason: reason ?? "provider_unavailable" };
  }
}
