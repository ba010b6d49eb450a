import { newId } from "../ids.ts";
import type { Redis } from "./connect.ts";
import { keep, keys } from "./keys.ts";
import { script } from "./script.ts";

type DeviceRef = { userId: string; deviceId: string };

export type PinCheck =
  | { outcome: "accepted" | "expired" | "none" }
  | { outcome: "rejected"; triesRemaining: number; pinId: string }
  /** This was the last wrong try: the PIN is void. */
  | { outcome: "voided"; pinId: string };

export const pinScripts = {
  replacePin: script<null>(`
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'id', ARGV[1], 'hash', ARGV[2], 'expiresAt', ARGV[3], 'tries', 0)
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
  `),
  // Comparing HMACs needs no constant time: without the key nobody can choose a hash to come closer.
  tryPin: script<[outcome: string, triesRemaining?: number, pinId?: string]>(`
    local id, hash, expiresAt, tries =
      unpack(redis.call('HMGET', KEYS[1], 'id', 'hash', 'expiresAt', 'tries'))
    local allowed = tonumber(ARGV[3])
    if not id or tonumber(tries) >= allowed then return {'none'} end
    if tonumber(ARGV[1]) >= tonumber(expiresAt) then return {'expired'} end
    if hash == ARGV[2] then return {'accepted'} end
    local remaining = allowed - redis.call('HINCRBY', KEYS[1], 'tries', 1)
    return {remaining > 0 and 'rejected' or 'voided', remaining, id}
  `),
  giveBackPinTry: script<null>(`
    local id, tries = unpack(redis.call('HMGET', KEYS[1], 'id', 'tries'))
    if id == ARGV[1] and tonumber(tries) > 0 then redis.call('HINCRBY', KEYS[1], 'tries', -1) end
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
 * Compares a PIN (as its HMAC) with the device's newest and counts a wrong try. An accepted PIN
 * stays until `dropPin`: it is spent by what it achieves.
 */
export async function checkPin(
  redis: Redis,
  attempt: DeviceRef & { hash: string; now: number; tries: number },
): Promise<PinCheck> {
  const [outcome, remaining, id] = await redis.tryPin(
    [keys.pin(attempt.userId, attempt.deviceId)],
    [attempt.now, attempt.hash, attempt.tries],
  );
  switch (outcome) {
    case "rejected":
      return { outcome, triesRemaining: Number(remaining), pinId: String(id) };
    case "voided":
      return { outcome, pinId: String(id) };
    default:
      return { outcome: outcome as "accepted" | "expired" | "none" };
  }
}

/** Takes a wrong try back that led to nothing, while its PIN is still the newest. */
export async function refundPinTry(
  redis: Redis,
  attempt: DeviceRef & { pinId: string },
): Promise<void> {
  await redis.giveBackPinTry([keys.pin(attempt.userId, attempt.deviceId)], [attempt.pinId]);
}

export async function dropPin(redis: Redis, { userId, deviceId }: DeviceRef): Promise<void> {
  await redis.del(keys.pin(userId, deviceId));
}
