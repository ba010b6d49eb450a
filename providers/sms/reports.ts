import type { Redis } from "../../store/redis/connect.ts";
import { findDelivery } from "../../store/redis/messages/deliveries.ts";
import type { DeliveryReport } from "./sms.ts";

/** Signals a flow; resolves, too, where the flow has ended. */
export type Signal = (workflowId: string, name: string, payload: object) => Promise<void>;

/**
 * Tells the flow that sent a message what became of it. False where the reference is unknown, or
 * its message was followed by another: nobody waits for it then.
 */
export async function passReport(
  { redis, signal }: { redis: Redis; signal: Signal },
  { reference, outcome, reason }: DeliveryReport,
): Promise<boolean> {
  const delivery = await findDelivery(redis, reference);
  if (!delivery) return false;
  const { workflowId, sending } = delivery;
  await signal(workflowId, REPORT_DELIVERY, { sending, outcome, reason });
  return true;
}

/** The Signal that the flows of `workflows/messages.ts` listen to. */
const REPORT_DELIVERY = "reportDelivery";
