import { newId } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";
import type { Refund } from "../scripts/refunds.ts";
import type { RefundBudget } from "./refunds.ts";
import { refundArguments } from "./refunds.ts";

type DeviceRef = { userId: string; deviceId: string };

export type PinCheck =
  /** `replaced`: a PIN older than the newest. None of these costs a try. */
  | { outcome: "expired" | "none" | "replaced" }
  | { outcome: "accepted"; pinId: string }
  | { outcome: "rejected"; triesRemaining: number; pinId: string }
  /** That was the last wrong try: the PIN is now void. */
  | { outcome: "voided"; pinId: string };

/**
 * Stores a device's new PIN as its HMAC. The previous PIN stops working, and the tries start again.
 */
export async function storePin(
  redis: Redis,
  pin: DeviceRef & { hash: string; expiresAt: number },
): Promise<void> {
  await redis.replacePin(
    [keys.pin(pin.userId, pin.deviceId)],
    [newId(), pin.hash, pin.expiresAt, keep.pin],
  );
}

/** Until when the device's newest PIN is accepted (ms); undefined if there is none. */
export async function pinExpiresAt(
  redis: Redis,
  { userId, deviceId }: DeviceRef,
): Promise<number | undefined> {
  const expiresAt = await redis.hGet(keys.pin(userId, deviceId), "expiresAt");
  return expiresAt ? Number(expiresAt) : undefined;
}

/**
 * Compares a PIN (as its HMAC) with the device's newest, and counts a wrong try; the PIN before the
 * newest does not count. An accepted PIN stays until `dropPin`, which follows what it was used for.
 */
export async function checkPin(
  redis: Redis,
  attempt: DeviceRef & { hashes: readonly string[]; now: number; tries: number },
): Promise<PinCheck> {
  const [outcome, id, remaining] = await redis.tryPin(
    [keys.pin(attempt.userId, attempt.deviceId)],
    [attempt.now, attempt.hashes.join(" "), attempt.tries],
  );
  switch (outcome) {
    case "rejected":
      return { outcome, triesRemaining: Number(remaining), pinId: String(id) };
    case "accepted":
    case "voided":
      return { outcome, pinId: String(id) };
    default:
      return { outcome: outcome as "expired" | "none" | "replaced" };
  }
}

/**
 * Gives back a try if an outage kept it from its flow and its PIN is still the newest. A user has a
 * limited number of refunds per day, shared with passcodes; after that the try counts as a wrong
 * one, right or not.
 */
export function refundPinTry(
  redis: Redis,
  { userId, deviceId, check, ...budget }: DeviceRef & { check: PinCheck } & RefundBudget,
): Promise<Refund> {
  const { outcome } = check;
  const [pinId, wrong] = "pinId" in check ? [check.pinId, outcome !== "accepted"] : ["", false];
  return redis.giveBackPinTry(
    [keys.pin(userId, deviceId), keys.refunds(userId)],
    [...refundArguments(budget), pinId, wrong ? 1 : 0],
  );
}

/** Forgets the device's PIN; false if there was none. */
export async function dropPin(redis: Redis, { userId, deviceId }: DeviceRef): Promise<boolean> {
  return (await redis.del(keys.pin(userId, deviceId))) > 0;
}
