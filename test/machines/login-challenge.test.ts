import { expect, test } from "vitest";
import { challengeView } from "../../workflows/views.ts";
import { stateOf, takes } from "../support/machine-walk.ts";
import { loginChallenge } from "./charts.ts";

const { starts, places, moves } = loginChallenge;
const origin = { ip: "192.0.2.7", userAgent: "test" };

const ACCEPTED = { type: "PASSCODE_ACCEPTED", factor: "recovery_code", origin } as const;

test("authenticates only from an open challenge, and only on an accepted passcode", () => {
  for (const place of places)
    expect(takes(place, ACCEPTED), place.path).toBe(place.snapshot.matches("open"));
  for (const { from, snapshot, event, path } of moves)
    if (snapshot.matches("authenticated")) {
      expect(from.snapshot.matches("open"), path).toBe(true);
      expect(event.type, path).toBe("PASSCODE_ACCEPTED");
    }
});

test("once it is expired, locked or withdrawn, nothing authenticates", () => {
  const over = places.filter(({ snapshot }) =>
    (["expired", "locked", "withdrawn"] as const).some((state) => snapshot.matches(state)),
  );
  expect(new Set(over.map(stateOf)).size).toBe(3);
  const ways = moves.filter(({ from }) => over.some(({ path }) => path === from.path));
  expect(ways.map(({ path }) => path)).toEqual([]);
});

test("allows only the configured methods", () => {
  for (const { snapshot, path } of places)
    expect(snapshot.context.methods, path).toContain(snapshot.context.method);
  const foreign = moves.filter(
    ({ from, event }) =>
      event.type === "CHOOSE_METHOD" && !from.snapshot.context.methods.includes(event.method),
  );
  expect(foreign.map(({ path }) => path)).toEqual([]);
});

test("by OTP sends nothing and resends nothing", () => {
  for (const place of places) {
    if (place.snapshot.context.method !== "otp") continue;
    expect(stateOf(place), place.path).not.toMatch(/sending|failed/);
    expect(takes(place, { type: "RESEND" }), place.path).toBe(false);
  }
});

test("sends a passcode exactly when it says that it is sending one", () => {
  for (const place of [...starts, ...moves]) {
    const sending = "sending_passcode";
    const entered = stateOf(place) === sending && !(place.from && stateOf(place.from) === sending);
    expect(place.effects.includes("sendPasscode"), place.path).toBe(entered);
  }
});

test("without a budget sends nothing until a resend, and says why", () => {
  const spent = starts.filter(
    ({ snapshot: { context } }) => context.method === "sms" && !context.maySend,
  );
  expect(spent).toHaveLength(2);
  for (const place of spent) {
    expect(stateOf(place), place.path).toBe("delivery_failed");
    expect(place.snapshot.context.deliveryProblem, place.path).toBe("send_limit");
  }
});

test("forgets no wrong passcode: not by a resend, another method, or a delivery", () => {
  for (const { from, snapshot, event, path } of moves)
    expect(snapshot.context.failures, path).toBe(
      event.type === "PASSCODE_REJECTED" ? event.failures : from.snapshot.context.failures,
    );
});

test("shows a delivery problem only while it lasts", () => {
  for (const place of places.filter(({ snapshot }) => snapshot.matches("open")))
    expect(place.snapshot.context.deliveryProblem !== undefined, place.path).toBe(
      stateOf(place) === "delivery_failed",
    );
});

test("keeps what ended it: the origin, the reason", () => {
  const by = (type: string) => moves.find(({ event }) => event.type === type)?.snapshot.context;
  expect(by("ACCOUNT_LOCKED")).toMatchObject({ origin });
  expect(by("WITHDRAW")).toMatchObject({ withdrawnFor: "devices_removed" });
});

test("records its end once, except a success, which the gateway records", () => {
  const ends = {
    expired: "recordExpiry",
    locked: "lockUser",
  };
  for (const place of moves.filter(({ snapshot }) => snapshot.status === "done"))
    expect(place.effects, place.path).toEqual(
      stateOf(place) in ends ? [ends[stateOf(place) as keyof typeof ends]] : [],
    );
});

test("counts each sending when it begins", () => {
  for (const { from, snapshot, effects, path } of moves)
    expect(snapshot.context.sendings - from.snapshot.context.sendings, path).toBe(
      effects.includes("sendPasscode") ? 1 : 0,
    );
});

test("a report counts only for the newest SMS, while its passcode is awaited", () => {
  for (const { event, from, path } of moves.filter(reported)) {
    const { context } = from.snapshot;
    expect(event.sending, path).toBe(context.sendings);
    expect(context.method, path).toBe("sms");
    expect(context.delivery, path).not.toBe("delivered");
    expect(["sending_passcode", "awaiting_passcode"], path).toContain(stateOf(from));
  }
});

test("a lost message lets the user ask for another; a delivered one can no longer be lost", () => {
  for (const place of moves.filter(reported)) {
    const { snapshot, from, event, path } = place;
    if (event.outcome === "failed") {
      expect(stateOf(place), path).toBe("delivery_failed");
      expect(snapshot.context.deliveryProblem, path).toBe("expired");
      expect(takes(place, { type: "RESEND" }), path).toBe(true);
    } else {
      expect(stateOf(place), path).toBe(stateOf(from));
      expect(snapshot.context.delivery, path).toBe("delivered");
      const lost = { ...event, outcome: "failed" };
      expect(takes(place, lost), path).toBe(false);
    }
  }
});

test("a report that comes before the sending is confirmed is kept", () => {
  const overtaken = moves.filter(
    ({ event, from }) =>
      event.type === "PASSCODE_SENT" && from.snapshot.context.delivery === "delivered",
  );
  expect(overtaken).not.toEqual([]);
  for (const { snapshot, path } of overtaken)
    expect(snapshot.context.delivery, path).toBe("delivered");
});

test("shows the delivery once a provider took the message, and none by OTP or after a failure", () => {
  for (const place of places) {
    const { delivery } = challengeView(place.snapshot);
    const { context } = place.snapshot;
    if (context.method === "otp" || stateOf(place) === "delivery_failed")
      expect(delivery, place.path).toBeUndefined();
    else if (stateOf(place) === "awaiting_passcode") expect(delivery, place.path).toBeDefined();
    else if (stateOf(place) === "sending_passcode") expect(delivery, place.path).not.toBe("sent");
  }
});

type Move = (typeof moves)[number];
type Reported = Move & { event: Extract<Move["event"], { type: "DELIVERY_REPORTED" }> };

function reported(move: Move): move is Reported {
  return move.event.type === "DELIVERY_REPORTED";
}
