import { expect, test } from "vitest";
import { smsEnrollmentMachine } from "../../machines/sms-enrollment.ts";
import { smsEnrollmentView } from "../../workflows/views.ts";
import { follow, stateOf, takes } from "../support/machine-walk.ts";
import { smsEnrollment } from "./charts.ts";

const { starts, places, moves } = smsEnrollment;
const origin = { ip: "192.0.2.7", userAgent: "test" };
const input = { lifetimeMs: 600_000, pinLifetimeMs: 60_000 };

test("is verified only after the right PIN, once its record is written", () => {
  for (const { from, snapshot, event, effects, path } of moves) {
    expect(effects.includes("settleDevice"), path).toBe(event.type === "PIN_ACCEPTED");
    if (!snapshot.matches("verified")) continue;
    expect(from.snapshot.matches("verifying"), path).toBe(true);
    expect(event.type, path).toBe("DEVICE_VERIFIED");
  }
});

test("accepts a PIN only while one may be on the phone and valid", () => {
  const accepted = { type: "PIN_ACCEPTED", makeDefault: true, origin } as const;
  for (const place of places)
    expect(takes(place, accepted), place.path).toBe(
      ["sending_pin", "awaiting_pin"].includes(stateOf(place)),
    );
});

test("sends a PIN exactly when it says that it is sending one", () => {
  for (const place of [...starts, ...moves]) {
    const sending = "sending_pin";
    const entered = stateOf(place) === sending && !(place.from && stateOf(place.from) === sending);
    expect(place.effects.includes("sendPin"), place.path).toBe(entered);
  }
});

test("a new PIN gets its own ten minutes, but the enrollment gets no more time", () => {
  const resends = moves.filter(
    ({ event, from }) => event.type === "RESEND" && stateOf(from) === "awaiting_pin",
  );
  expect(resends).not.toEqual([]);
  for (const { touched, path } of resends) expect(touched, path).toEqual(["pinLifetime"]);
});

test("keeps how the owner proved the device", () => {
  for (const { event, snapshot, path } of moves)
    if (event.type === "PIN_ACCEPTED")
      expect(snapshot.context, path).toMatchObject({
        makeDefault: event.makeDefault,
        signOut: true,
        origin,
      });
});

test("the tries that a PIN cost before its sending was confirmed are still shown", () => {
  const place = follow(smsEnrollmentMachine, input, [
    { type: "PIN_REJECTED", triesRemaining: 4 },
    { type: "PIN_SENT" },
  ]);
  expect(smsEnrollmentView(place.snapshot)).toMatchObject({
    state: "awaiting_pin",
    triesRemaining: 4,
  });
});

test("a void PIN has no tries left, and a new PIN shows no count yet", () => {
  const void_ = follow(smsEnrollmentMachine, input, [
    { type: "PIN_SENT" },
    { type: "PIN_REJECTED", triesRemaining: 1 },
    { type: "PIN_VOIDED" },
  ]);
  expect(smsEnrollmentView(void_.snapshot)).toMatchObject({ state: "pin_void", triesRemaining: 0 });
  for (const { event, snapshot, path } of moves)
    if (event.type === "RESEND") expect(snapshot.context.triesRemaining, path).toBeUndefined();
});

test("shows a delivery problem only while it lasts", () => {
  for (const place of places.filter(({ snapshot }) => snapshot.matches("unverified")))
    expect(place.snapshot.context.deliveryProblem !== undefined, place.path).toBe(
      stateOf(place) === "delivery_failed",
    );
});

test("a lost PIN shows the provider's reason, and another can be requested", () => {
  const place = follow(smsEnrollmentMachine, input, [
    { type: "PIN_SENT" },
    { type: "PIN_REJECTED", triesRemaining: 4 },
    { type: "DELIVERY_REPORTED", sending: 1, outcome: "failed", reason: "blocked_number" },
  ]);
  expect(smsEnrollmentView(place.snapshot)).toEqual({
    state: "delivery_failed",
    problem: "blocked_number",
    next: ["pin", "remove"],
  });
  expect(place.timers).not.toHaveProperty("pinLifetime");
});

test("a lost PIN without a reason shows the reason unknown", () => {
  const place = follow(smsEnrollmentMachine, input, [
    { type: "DELIVERY_REPORTED", sending: 1, outcome: "failed" },
  ]);
  expect(smsEnrollmentView(place.snapshot).problem).toBe("unknown");
});

test("a PIN that arrived is shown as delivered, also if the report comes before the sending is confirmed", () => {
  const arrived = { type: "DELIVERY_REPORTED", sending: 1, outcome: "delivered" } as const;
  for (const events of [
    [arrived, { type: "PIN_SENT" }],
    [{ type: "PIN_SENT" }, arrived],
  ] as const) {
    const place = follow(smsEnrollmentMachine, input, [...events]);
    expect(smsEnrollmentView(place.snapshot)).toMatchObject({
      state: "awaiting_pin",
      delivery: "delivered",
    });
    const lost = { ...arrived, outcome: "failed" };
    expect(takes(place, lost)).toBe(false);
  }
});

test("a report about an older PIN changes nothing", () => {
  for (const { event, from, path } of moves)
    if (event.type === "DELIVERY_REPORTED")
      expect(event.sending, path).toBe(from.snapshot.context.sendings);
  const again = follow(smsEnrollmentMachine, input, [
    { type: "PIN_SENT" },
    { type: "DELIVERY_REPORTED", sending: 1, outcome: "delivered" },
    { type: "RESEND" },
  ]);
  expect(smsEnrollmentView(again.snapshot).delivery).toBeUndefined();
});
