import type { Redis } from "../../store/redis/connect.ts";
import { findDelivery } from "../../store/redis/messages/deliveries.ts";
import type { DeliveryReport } from "./sms.ts";

/** Tells a flow the result of its n-th message. Also resolves if the flow has ended. */
export type Report = (
  workflowId: string,
  report: Omit<DeliveryReport, "reference"> & { sending: number },
) => Promise<void>;

/**
 * Tells the flow that sent a message what became of it. False if the reference is unknown, or if
 * the flow has sent a newer message since.
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
