import { describe, expect, test } from "vitest";
import { passReport } from "../../../providers/sms/reports.ts";
import type { DeliveryReport } from "../../../providers/sms/sms.ts";
import { newId } from "../../../store/ids.ts";
import { keys } from "../../../store/redis/keys.ts";
import { workflowIds } from "../../../workflows/ids.ts";
import { newPhone } from "../../support/phones.ts";
import {
  challengeSent,
  enrollPhone,
  isDone,
  logInByPassword,
  pinSent,
  startChallenge,
} from "../../support/scenarios.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

const INTERVAL_MS = 30_000;

/** Reports as a provider does, with the reference of the message. */
function report(reference: string, content: Omit<DeliveryReport, "reference">) {
  const { redis, flows } = stack.deps;
  return passReport({ redis, report: flows.reportDelivery }, { reference, ...content });
}

/** The reference of the flow's newest message. */
async function referenceOf(workflowId: string) {
  const reference = await stack.deps.redis.get(keys.newestDelivery(workflowId));
  if (!reference) throw new Error("Nothing was sent");
  return reference;
}

describe("a passcode", () => {
  async function sent() {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id, delivery } = await startChallenge(stack, user);
    expect(delivery).toBeNull();
    const passcode = await stack.passcodeTo(e164);
    expect(await challengeSent(stack, id)).toMatchObject({ delivery: "sent" });
    const reference = await referenceOf(workflowIds.loginChallenge(id));
    return { user, id, e164, passcode, reference };
  }

  const read = async (id: string) => (await stack.api.challenge(id)).body;

  test("that arrived is shown as delivered, whatever is reported later", async () => {
    const { id, reference, passcode } = await sent();
    expect(await report(reference, { outcome: "delivered" })).toBe(true);
    await until(
      () => read(id),
      ({ delivery }) => delivery === "delivered",
    );
    await report(reference, { outcome: "failed", reason: "expired" });
    expect(await read(id)).toMatchObject({ state: "awaiting_passcode", delivery: "delivered" });
    expect((await stack.api.verifyPasscode(id, passcode)).status).toBe(200);
    expect(await read(id)).toMatchObject({ state: "authenticated", delivery: "delivered" });
  });

  test("that was lost says why, and the next one goes out", async () => {
    const { id, e164, reference } = await sent();
    await report(reference, { outcome: "failed", reason: "blocked_number" });
    const lost = await until(
      () => read(id),
      ({ state }) => state === "delivery_failed",
    );
    expect(lost).toMatchObject({
      problem: "blocked_number",
      delivery: null,
      next: ["resend", "method"],
    });
    await stack.advance(INTERVAL_MS);
    expect((await stack.api.resendPasscode(id)).status).toBe(202);
    const next = await stack.passcodeTo(e164);
    expect(await challengeSent(stack, id)).toMatchObject({ delivery: "sent", problem: null });
    expect((await stack.api.verifyPasscode(id, next)).status).toBe(200);
  });

  test("that is wrongly reported as lost still logs in", async () => {
    const { id, reference, passcode } = await sent();
    await report(reference, { outcome: "failed", reason: "expired" });
    await until(
      () => read(id),
      ({ state }) => state === "delivery_failed",
    );
    expect((await stack.api.verifyPasscode(id, passcode)).status).toBe(200);
  });

  test("that was replaced by another: its report is ignored", async () => {
    const { id, e164, reference } = await sent();
    await stack.advance(INTERVAL_MS);
    await stack.api.resendPasscode(id);
    await stack.passcodeTo(e164);
    await challengeSent(stack, id);
    expect(await report(reference, { outcome: "failed", reason: "expired" })).toBe(false);
    expect(await read(id)).toMatchObject({ state: "awaiting_passcode", delivery: "sent" });
  });

  test("of a login that has ended: a late report changes nothing", async () => {
    const { id, passcode, reference } = await sent();
    await stack.api.verifyPasscode(id, passcode);
    await until(
      () => stack.temporal.client.workflow.getHandle(workflowIds.loginChallenge(id)).describe(),
      ({ status }) => status.name === "COMPLETED",
    );
    expect(await report(reference, { outcome: "delivered" })).toBe(true);
    expect(await read(id)).toMatchObject({ state: "authenticated", delivery: "sent" });
  });

  test("with an unknown reference: the report changes nothing", async () => {
    expect(await report(newId(), { outcome: "delivered" })).toBe(false);
  });
});

describe("a PIN", () => {
  async function sent() {
    const { token } = await logInByPassword(stack, await stack.createUser());
    const phone = newPhone();
    const { id } = (await stack.api.registerPhone(token, phone)).body;
    const pin = await stack.pinTo(phone.e164);
    expect(await pinSent(stack, token, id)).toMatchObject({ delivery: "sent" });
    const reference = await referenceOf(workflowIds.enrollment("sms", id));
    const read = async () =>
      (await stack.api.multiFactor(token)).body.devices.find((device) => device.id === id);
    return { token, id, e164: phone.e164, pin, reference, read };
  }

  test("that arrived is shown as delivered", async () => {
    const { reference, read } = await sent();
    await report(reference, { outcome: "delivered" });
    await until(read, (device) => device?.delivery === "delivered");
    expect(await read()).toMatchObject({
      state: "awaiting_pin",
      next: ["verify", "pin", "remove"],
    });
  });

  test("that was lost says why, and the next one goes out", async () => {
    const { token, id, e164, reference, read } = await sent();
    await report(reference, { outcome: "failed", reason: "not_a_mobile" });
    await until(read, (device) => device?.state === "delivery_failed");
    expect(await read()).toMatchObject({
      problem: "not_a_mobile",
      delivery: null,
      next: ["pin", "remove"],
    });
    await stack.advance(INTERVAL_MS);
    await stack.api.resendPin(token, id);
    const next = await stack.pinTo(e164);
    await pinSent(stack, token, id);
    expect(isDone(await stack.api.verifyDevice(token, id, next))).toBe(true);
  });
});
