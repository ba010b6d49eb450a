import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { loadConfig } from "../../../config.ts";
import { matchingStep } from "../../../core/devices/totp.ts";
import { newId } from "../../../store/ids.ts";
import type { Device } from "../../../store/postgres/schema.ts";
import { seal } from "../../../store/sealing.ts";
import { environmentOf } from "../../support/stack.ts";

/** RFC 6238 appendix B, mode SHA1: seconds and eight digits. A six-digit code is their end. */
const VECTORS = [
  [59, "94287082"],
  [1111111109, "07081804"],
  [1111111111, "14050471"],
  [1234567890, "89005924"],
  [2000000000, "69279037"],
  [20000000000, "65353130"],
] as const;

/** The appendix's secret, "12345678901234567890", in base32. */
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

const nowhere = { address: "127.0.0.1:1", namespace: "none" };
const config = loadConfig(environmentOf("postgres://nowhere", "redis://nowhere", nowhere));

const id = newId();
const device: Device = {
  id,
  userId: newId(),
  type: "otp",
  name: randomBytes(4).toString("hex"),
  countryCode: null,
  phoneNumber: null,
  secret: seal(config.SEALING_KEYS, SECRET, id),
  verifiedAt: null,
  inactiveAt: null,
  lastUsedAt: null,
  createdAt: new Date(0),
};

test.each(VECTORS)("at %i s the code is the last digits of %s", (seconds, digits) => {
  const clock = { now: () => seconds * 1000 };
  const step = Math.floor(seconds / 30);
  expect(matchingStep({ clock, config }, device, digits.slice(-6))).toBe(step);
  const later = { now: () => (seconds + 60) * 1000 };
  expect(matchingStep({ clock: later, config }, device, digits.slice(-6))).not.toBe(step);
});

test("RFC 6238 section 5.2: a clock may be one step behind or ahead, and no more", () => {
  const [seconds, digits] = VECTORS[2];
  const at = (stepsOff: number) => ({ now: () => (seconds + stepsOff * 30) * 1000 });
  const found = [-2, -1, 0, 1, 2].map((stepsOff) =>
    matchingStep({ clock: at(stepsOff), config }, device, digits.slice(-6)),
  );
  const step = Math.floor(seconds / 30);
  expect(found).toEqual([undefined, step, step, step, undefined]);
});
