import { expect, test } from "vitest";
import { reasonOf, sentenceOf } from "../../portal/account/event-words.ts";
import type { EventType } from "../../store/events/event-types.ts";
import { writeNotice } from "../../store/notice-mail.ts";
import { isImportant } from "../../store/notices.ts";
import type { AuditEvent } from "../../store/postgres/schema.ts";

const event = (type: EventType, detail = {}, workflowId: string | null = null) =>
  ({
    ...{ type, detail, workflowId, userId: "alice", actorId: "alice", at: new Date(0) },
    ...{ ip: null, userAgent: null },
  }) as unknown as AuditEvent;

const mailOf = (told: AuditEvent) =>
  writeNotice(told, "current", { service: "Second Step", username: "alice" });

test("the user is told by mail which kind of device was added", () => {
  const added = (kind: string) =>
    mailOf(event("device_verified", {}, `${kind}-enrollment/1`)).body.split("\n")[0];
  expect(added("webauthn")).toMatch(/^A security key or passkey was added to your login\./);
  expect(added("otp")).toMatch(/^An authenticator app was added/);
  expect(added("sms")).toMatch(/^An SMS device was added/);
});

test("a key that is asked first is told, without the word passcode", () => {
  const { body } = mailOf(event("default_method_changed", { method: "webauthn" }));
  expect(body).toMatch(/^You will now be asked first for your security key or passkey\.\n/);
});

test("a copied key is told with what to do; no nickname is in the mail", () => {
  const told = event("key_counter_regressed", { device: "PAY AT EVIL.EXAMPLE", counter: 3 });
  const { subject, body } = mailOf(told);
  expect(subject).toBe("Second Step: Your security key may have been copied");
  expect(body).toContain(
    "Log in with another device, remove that key, end all other sessions, and add another key.",
  );
  expect(body).not.toContain("EVIL");
  expect(isImportant(told)).toBe(true);
});

test("Activity tells of keys in words", () => {
  expect(sentenceOf(event("device_renamed", { from: "Old", device: "New" }))).toBe(
    "Device renamed: Old to New",
  );
  expect(sentenceOf(event("webauthn_device_added", { device: "Blue key" }))).toBe(
    "Security key or passkey added: Blue key",
  );
  expect(sentenceOf(event("key_counter_regressed", { device: "Blue key", counter: 3 }))).toBe(
    "Security key may be copied: Blue key",
  );
  const failed = event("second_step_failed", { method: "webauthn", reason: "not_accepted" });
  expect(sentenceOf(failed)).toBe("Second step failed: security key or passkey");
  expect(reasonOf(failed)).toBe("the key's answer was not accepted");
});
