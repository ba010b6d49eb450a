import { expect, test } from "vitest";
import { takes } from "../support/machine-walk.ts";
import { otpEnrollment } from "./charts.ts";

const { places, moves } = otpEnrollment;
const origin = { ip: "192.0.2.7", userAgent: "test" };

test("is verified only after a right code, once its record is written", () => {
  for (const { from, snapshot, event, effects, path } of moves) {
    expect(effects.includes("settleDevice"), path).toBe(event.type === "CODE_ACCEPTED");
    if (!snapshot.matches("verified")) continue;
    expect(from.snapshot.matches("verifying"), path).toBe(true);
    expect(event.type, path).toBe("DEVICE_VERIFIED");
  }
});

test("accepts a code only while unverified", () => {
  const accepted = { type: "CODE_ACCEPTED", makeDefault: true, signOut: true, origin } as const;
  for (const place of places)
    expect(takes(place, accepted), place.path).toBe(place.snapshot.matches("unverified"));
});

test("a restart resets the count of wrong codes, but no deadline", () => {
  const restarts = moves.filter(({ event }) => event.type === "RESTART");
  expect(restarts).not.toEqual([]);
  for (const { snapshot, touched, path } of restarts) {
    expect(snapshot.context.rejected, path).toBe(0);
    expect(touched, path).toEqual([]);
  }
});

test("counts wrong codes", () => {
  for (const { from, event, snapshot, path } of moves)
    if (event.type === "CODE_REJECTED")
      expect(snapshot.context.rejected, path).toBe(from.snapshot.context.rejected + 1);
});

test("keeps how the owner proved the device", () => {
  for (const { event, snapshot, path } of moves)
    if (event.type === "CODE_ACCEPTED") {
      const { type: _, ...proof } = event;
      expect(snapshot.context, path).toMatchObject(proof);
    }
});
