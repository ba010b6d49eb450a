import { newId } from "../../ids.ts";
import type { Redis } from "../connect.ts";
import { keep, keys } from "../keys.ts";
import { script } from "../script.ts";
import { type Refund, type RefundBudget, refundArguments, TAKE_REFUND } from "./refunds.ts";

type DeviceRef = { userId: string; deviceId: string };

export type PinCheck =
  /** `replaced`: a PIN before the newest. None of these costs a try. */
  | { outcome: "expired" | "none" | "replaced" }
  | { outcome: "accepted"; pinId: string }
  | { outcome: "rejected"; triesRemaining: number; pinId: string }
  /** This was the last wrong try: the PIN is void. */
  | { outcome: "voided"; pinId: string };

export const pinScripts = {
  replacePin: script<null>(`
    local former = redis.call('HGET', KEYS[1], 'hash')
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'id', ARGV[1], 'hash', ARGV[2], 'expiresAt', ARGV[3], 'tries', 0)
    if former then redis.call('HSET', KEYS[1], 'formerHash', former) end
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
  `),
  // Comparing HMACs needs no constant time: without the key nobody can choose a hash to come closer.
  tryPin: script<[outcome: string, pinId?: string, triesRemaining?: number]>(`
    local id, hash, expiresAt, tries, formerHash =
      unpack(redis.call('HMGET', KEYS[1], 'id', 'hash', 'expiresAt', 'tries', 'formerHash'))
    local allowed = tonumber(ARGV[3])
    if not id or tonumber(tries) >= allowed then return {'none'} end
    if tonumber(ARGV[1]) >= tonumber(expiresAt) then return {'expired'} end
    if hash == ARGV[2] then return {'accepted', id} end
    -- Right once, and worth nothing any more: no guess.
    if formerHash and formerHash == ARGV[2] then return {'replaced'} end
    local remaining = allowed - redis.call('HINCRBY', KEYS[1], 'tries', 1)
    return {remaining > 0 and 'rejected' or 'voided', id, remaining}
  `),
  // As of passcodes: a right PIN that is not given back costs a try like a wrong one.
  giveBackPinTry: script<Refund>(`
    ${TAKE_REFUND}
    local pin, refunds = unpack(KEYS)
    local pinId, wrong = ARGV[4], ARGV[5] == '1'
    local id, tries = unpack(redis.call('HMGET', pin, 'id', 'tries'))
    if id ~= pinId or (wrong and tonumber(tries) == 0) then return 'nothing' end
    local given = takeRefund(refunds, unpack(ARGV, 1, 3))
    if given and wrong then redis.call('HINCRBY', pin, 'tries', -1) end
    if not given and not wrong then redis.call('HINCRBY', pin, 'tries', 1) end
    return given and 'given_back' or 'spent'
  `),
};

/** Keeps a new PIN (as its HMAC) for the device; the one before is void, the tries start again. */
export async function storePin(
  redis: Redis,
  pin: DeviceRef & { hash: string; expiresAt: number },
): Promise<void> {
  await redis.replacePin(
    [keys.pin(pin.userId, pin.deviceId)],
    [newId(), pin.hash, pin.expiresAt, keep.pin],
  );
}

/**
 * Compares a PIN (as its HMAC) with the device's newest and counts a wrong try; the one before the
 * newest is none. An accepted PIN stays until `dropPin`: it is spent by what it achieves.
 */
export async function checkPin(
  redis: Redis,
  attempt: DeviceRef & { hash: string; now: number; tries: number },
): Promise<PinCheck> {
  const [outcome, id, remaining] = await redis.tryPin(
    [keys.pin(attempt.userId, attempt.deviceId)],
    [attempt.now, attempt.hash, attempt.tries],
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
 * Takes a try back that an outage kept from its flow, while its PIN is still the newest: a bounded
 * number a day, passcodes included. Past that it counts as a wrong one, right or not.
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

export async function dropPin(redis: Redis, { userId, deviceId }: DeviceRef): Promise<void> {
  await redis.del(keys.pin(userId, deviceId));
}
