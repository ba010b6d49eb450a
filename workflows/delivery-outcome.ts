import { ActivityFailure, ApplicationFailure, isCancellation } from "@temporalio/workflow";

/**
 * Turns the result of a sending activity into the machine's event. A failure becomes an event too,
 * with the failure's type but not its message, which may quote a provider.
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
