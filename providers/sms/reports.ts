import type { Redis } from "../../store/redis/connect.ts";
import { findDelivery } from "../../store/redis/messages/deliveries.ts";
import type { DeliveryReport } from "./sms.ts";

/** Tells a flow what became of its n-th message; resolves, too, where the flow has ended. */
export type Report = (
  workflowId: string,
  report: Omit<DeliveryReport, "reference"> & { sending: number },
) => Promise<void>;

/**
 * Tells the flow that sent a message what became of it. False where the reference is unknown, or
 * its message was followed by another: nobody waits for it then.
 */
export async function passReport(
  { redis, report }: { redis: Redis; report: Report },
  { reference, outcome, reason }: DeliveryReport,
): Promise<boolean> {
  const delivery = await findDelivery(redis, reference);
  if (!delivery) return false;
  const { workflowId, sending } = delivery;
  await report(workflowId, { sending, outcome, reason });
  return true;
}
