import { expect, test } from "vitest";
import type { Mail } from "../../gateways/mail.ts";
import { newId } from "../../store/ids.ts";
import { findEvent, recordEvent } from "../../store/postgres/events.ts";
import { setEmail } from "../../store/postgres/users.ts";
import { AT, eventOf, newUser } from "../store/postgres/database.ts";
import { useActivities } from "./perform.ts";

const { deps, perform, logged } = useActivities();

/** Mails as a server took them. */
function mailbox() {
  const taken: Mail[] = [];
  const send = async (mail: Mail) => {
    taken.push(mail);
    return "sent" as const;
  };
  return { taken, mail: { send, close() {} } };
}

async function recorded(type: string) {
  const user = await newUser(deps.db);
  const email = `${newId()}@example.com`;
  await setEmail(deps.db, { userId: user.id, email }, eventOf(user));
  const event = { ...eventOf(user, type), actorId: user.id };
  await recordEvent(deps.db, event);
  const { id: eventId = 0 } = (await findEvent(deps.db, event.key)) ?? {};
  return { user, email, eventId };
}

test("a worker that dies after the server took the mail sends the same mail again, no other", async () => {
  const { taken, mail } = mailbox();
  const { eventId, email } = await recorded("password_changed");
  for (const _ of ["first", "again"])
    expect(await perform("sendNotice", { eventId, to: "current" }, { mail })).toBe("sent");
  expect(taken).toHaveLength(2);
  expect(taken[1]).toEqual(taken[0]);
  expect(taken[0]).toMatchObject({ to: email, id: expect.stringMatching(/^[0-9a-f]{64}$/) });
  const other = await recorded("password_changed");
  await perform("sendNotice", { eventId: other.eventId, to: "current" }, { mail });
  expect(taken[2]?.id).not.toBe(taken[0]?.id);
});

test("a mail tells when it happened, in UTC", async () => {
  const { taken, mail } = mailbox();
  const { eventId, user } = await recorded("password_changed");
  await perform("sendNotice", { eventId, to: "current" }, { mail });
  expect(taken[0]?.body).toContain(`When:  ${AT.toISOString().slice(0, 16).replace("T", " ")} UTC`);
  expect(taken[0]?.body).toContain(`User:  ${user.username}`);
});

test("without a way to send mails a notice ends as that", async () => {
  const { eventId } = await recorded("password_changed");
  expect(await perform("sendNotice", { eventId, to: "current" })).toBe("mail_off");
});

test("a server's own words, which may quote the address, reach neither history nor log", async () => {
  const { eventId, email } = await recorded("password_changed");
  const mail = {
    send: () => Promise.reject(new Error(`450 <${email}> try later`)),
    close() {},
  };
  const failing = perform("sendNotice", { eventId, to: "current" }, { mail });
  const failure = await failing.catch((error) => error);
  expect(failure).toMatchObject({ type: "dependency_unavailable", nonRetryable: false });
  expect(`${failure.message}${failure.stack}${JSON.stringify(logged)}`).not.toContain(email);
});
