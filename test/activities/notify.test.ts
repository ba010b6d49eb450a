import { describe, expect, test } from "vitest";
import type { Mail } from "../../providers/mail/mail.ts";
import { eventRef } from "../../store/events/event-refs.ts";
import { newId } from "../../store/ids.ts";
import { setPolicy } from "../../store/postgres/accounts.ts";
import { findEvent, recordEvent } from "../../store/postgres/events/events.ts";
import { getEvent, listEvents } from "../../store/postgres/events/read-events.ts";
import type { Role, User } from "../../store/postgres/schema.ts";
import { createUser, setEmail, setRequirement } from "../../store/postgres/users.ts";
import { AT, eventOf, newAccount } from "../store/postgres/database.ts";
import { newPerson } from "../support/people.ts";
import { useActivities } from "./perform.ts";

const { deps, perform, logged } = useActivities();

/** A mail server double that keeps every mail. */
function mailbox() {
  const taken: Mail[] = [];
  const send = async (mail: Mail) => {
    taken.push(mail);
    return "sent" as const;
  };
  return { taken, mail: { send, close() {} } };
}

async function recorded(
  type: string,
  {
    email = `${newId()}@example.com`,
    username = newId(),
    by,
    role = "member",
  }: { email?: string; username?: string; by?: string | null; role?: Role } = {},
) {
  const { id: accountId } = await newAccount(deps.db);
  const user = await createUser(deps.db, {
    ...{ accountId, username, passwordHash: "hash", role, at: AT },
  });
  if (user === "exists") throw new Error("The user name was taken");
  await setEmail(deps.db, { userId: user.id, email }, eventOf(user));
  const event = { ...eventOf(user, type), actorId: by === undefined ? user.id : by };
  await recordEvent(deps.db, event);
  const { id: eventId = 0 } = (await findEvent(deps.db, event.key)) ?? {};
  return { user, email, eventId };
}

/** Records another event of the same user. */
async function alsoHappened(user: User, type: string) {
  const event = eventOf(user, type);
  await recordEvent(deps.db, event);
  return (await findEvent(deps.db, event.key))?.id ?? 0;
}

test("if a worker dies after the server accepted the mail, the same mail is sent again", async () => {
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

test("a notice whose event a restored database has lost is not sent about the event that has its number", async () => {
  const { taken, mail } = mailbox();
  const { eventId } = await recorded("password_changed");
  const send = (ref: string) => perform("sendNotice", { eventId, ref, to: "current" }, { mail });
  await expect(send(eventRef("the lost event"))).rejects.toMatchObject({ type: "no_event" });
  expect(taken).toEqual([]);
  expect(logged.at(-1)).toEqual([{ eventId }, expect.stringContaining("is gone")]);
  const event = await getEvent(deps.db, eventId);
  expect(await send(eventRef(event?.key ?? ""))).toBe("sent");
});

test("a mail says when it happened, in UTC", async () => {
  const { taken, mail } = mailbox();
  const { eventId, user } = await recorded("password_changed");
  await perform("sendNotice", { eventId, to: "current" }, { mail });
  expect(taken[0]?.body).toContain(`When:  ${AT.toISOString().slice(0, 16).replace("T", " ")} UTC`);
  expect(taken[0]?.body).toContain(`User:  ${user.username.slice(0, 3)}•••\n`);
});

test("without a mail server a notice ends as mail_off", async () => {
  const { eventId } = await recorded("password_changed");
  expect(await perform("sendNotice", { eventId, to: "current" })).toBe("mail_off");
});

test("a server's error text, which may quote the address, reaches neither history nor log", async () => {
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

describe("attack: an administrator gives a user a stranger's address", () => {
  test("and a name that reads like a letter: the mail leaves it out", async () => {
    const username = "your account was hacked, go to http://evil.example";
    const { taken, mail } = mailbox();
    const { eventId } = await recorded("role_changed", { username });
    expect(await perform("sendNotice", { eventId, to: "current" }, { mail })).toBe("sent");
    expect(taken[0]?.body).not.toMatch(/hacked|evil|User:/);
    expect(taken[0]?.body).toContain("When:");
  });

  test("and a name that is a message or a link: the mail shows only three characters", async () => {
    for (const [username, shown] of [
      ["evil.example", "evi•••"],
      ["carol@evil.example", "car•••"],
      ["your-account-was-hacked-call-0900123456", "you•••"],
    ] as const) {
      const { taken, mail } = mailbox();
      const { eventId } = await recorded("role_changed", { username });
      await perform("sendNotice", { eventId, to: "current" }, { mail });
      expect(taken[0]?.body).toContain(`User:  ${shown}\n`);
      expect(taken[0]?.body).not.toMatch(/\.example|hacked|0900/);
    }
  });

  test("and floods it: the eleventh notice in an hour is dropped, and the activity says so", async () => {
    const email = `${newId()}@example.com`;
    const { taken, mail } = mailbox();
    const { eventId, user } = await recorded("role_changed", { email });
    const again = () => perform("sendNotice", { eventId, to: "current" }, { mail });
    for (let n = 0; n < 10; n++) expect(await again()).toBe("sent");
    for (const _ of ["over", "and over"])
      await expect(again()).rejects.toMatchObject({ type: "over_budget", nonRetryable: true });
    expect(taken).toHaveLength(10);
    const listed = await listEvents(deps.db, { userId: user.id, limit: 100 });
    expect(listed.events.filter(({ type }) => type === "notice_dropped")).toMatchObject([
      { userId: user.id, actorId: null, detail: { notice: "role_changed", to: "current" } },
    ]);
    expect(JSON.stringify([listed, logged])).not.toContain(email);

    // Another address still gets mail, and so does the same address of a user in another account.
    const other = await recorded("role_changed");
    const same = await recorded("password_changed", { email });
    for (const { eventId } of [other, same])
      expect(await perform("sendNotice", { eventId, to: "current" }, { mail })).toBe("sent");
  });

  test("unimportant notices leave room for important ones: twenty an hour in total", async () => {
    const { taken, mail } = mailbox();
    const { eventId, user } = await recorded("role_changed");
    const send = (eventId: number) => perform("sendNotice", { eventId, to: "current" }, { mail });
    for (let n = 0; n < 12; n++) await send(eventId).catch(() => {});
    const important = await alsoHappened(user, "device_verified");
    for (let n = 0; n < 10; n++) expect(await send(important)).toBe("sent");
    await expect(send(important)).rejects.toMatchObject({ type: "over_budget" });
    expect(taken).toHaveLength(20);
  });

  test("and spells the address in other ways: it counts as the same mailbox", async () => {
    const name = newId();
    const { taken, mail } = mailbox();
    for (const email of [
      `${name}@example.com`,
      `${name.toUpperCase()}@example.com`,
      `${name}+1@example.com`,
      `${name}+one+more@EXAMPLE.com`,
    ]) {
      // Each user is in a new account.
      for (let account = 0; account < 2; account++) {
        const { eventId } = await recorded("role_changed", { email });
        for (let n = 0; n < 10; n++)
          await perform("sendNotice", { eventId, to: "current" }, { mail }).catch(() => {});
      }
    }
    expect(taken).toHaveLength(30);
  });

  test("and for many users: all users of an account together get a limited number an hour", async () => {
    const { eventId, user } = await recorded("role_changed");
    const { taken, mail } = mailbox();
    const allOfAccount = { perHour: 4, perDay: 100 };
    const limits = {
      ...deps.config.limits,
      notices: { ...deps.config.limits.notices, allOfAccount },
    };
    const config = { ...deps.config, limits } as unknown as typeof deps.config;
    const send = (eventId: number) =>
      perform("sendNotice", { eventId, to: "current" }, { mail, config });
    for (const email of ["one", "two", "three"]) {
      await setEmail(
        deps.db,
        { userId: user.id, email: `${email}-${newId()}@a.example` },
        eventOf(user),
      );
      await send(eventId).catch(() => {});
    }
    expect(taken).toHaveLength(2);
    const important = await alsoHappened(user, "password_changed");
    for (const _ of ["third", "fourth"]) expect(await send(important)).toBe("sent");
    await expect(send(important)).rejects.toMatchObject({ type: "over_budget" });
  });

  test("and many accounts do so together: an address gets at most sixty an hour", async () => {
    const email = `${newId()}@example.com`;
    const { taken, mail } = mailbox();
    for (let account = 0; account < 4; account++) {
      const { eventId } = await recorded("password_changed", { email });
      for (let n = 0; n < 20; n++)
        await perform("sendNotice", { eventId, to: "current" }, { mail }).catch(() => {});
    }
    expect(taken).toHaveLength(60);
  });

  test("an unreachable mail server costs the address nothing", async () => {
    const { eventId, email } = await recorded("role_changed");
    const away = { send: () => Promise.reject(new Error("away")), close() {} };
    const send = (mail: object) =>
      perform("sendNotice", { eventId, to: "current" }, { mail: mail as typeof away });
    for (let n = 0; n < 25; n++) await expect(send(away)).rejects.toThrow();
    const { taken, mail } = mailbox();
    expect(await send(mail)).toBe("sent");
    expect(taken[0]?.to).toBe(email);
  });
});

test("a mail says who did it: the service, an operator, Support or an administrator", async () => {
  const { taken, mail } = mailbox();
  const support = await newPerson(deps.db, { role: "support", at: AT });
  const administrator = await newPerson(deps.db, { role: "administrator", at: AT });
  for (const [by, words] of [
    [null, "the service itself"],
    ["command_line", "an operator of the service"],
    [support.id, "Support"],
    [administrator.id, "an administrator of your account"],
  ] as const) {
    const { eventId } = await recorded("account_unlocked", { by });
    await perform("sendNotice", { eventId, to: "current" }, { mail });
    expect(taken.at(-1)?.body).toContain(`By:    ${words}\n`);
  }
});

describe("the end of a mail depends on who did it", () => {
  const way = { text: "help@panel.example", href: "mailto:help@panel.example" };

  const known = { SUPPORT_CONTACT: way, PUBLIC_URL: "https://panel.example" };

  async function endOf(type: string, by?: string | null, settings: Partial<typeof known> = known) {
    const { taken, mail } = mailbox();
    const config = { ...deps.config, ...settings };
    const { eventId } = await recorded(type, { by });
    await perform("sendNotice", { eventId, to: "current" }, { mail, config });
    return taken[0]?.body ?? "";
  }

  test("the user did it: the mail says that there is nothing to do, and where to change the password", async () => {
    const own = await endOf("default_method_changed");
    expect(own).toContain("If this was you, or you asked for it, you have nothing to do.\n");
    expect(own).toContain(
      "change it (https://panel.example/sessions/password), remove devices that you don't know, " +
        "end unknown sessions, and contact Support: help@panel.example\n",
    );
  });

  test("a lock: the mail points to Support and does not say that there is nothing to do", async () => {
    const locked = await endOf("account_locked");
    expect(locked).toContain("To unlock your account, contact Support: help@panel.example\n");
    expect(locked).not.toMatch(/nothing to do|If this wasn't you/);
    expect(locked).toContain(
      "Then log in and change your password (https://panel.example/sessions/password): someone knows it.",
    );
    expect(await endOf("account_locked", undefined, {})).toContain(
      "Then log in and change your password: someone knows it.\n",
    );
  });

  test("a lock that ended by itself: the mail says that someone has entered the right password", async () => {
    const ended = await endOf("account_unlocked", null);
    expect(ended).toContain("By:    the service itself\n");
    expect(ended).toContain(
      "This happens when someone enters your password. If that was not you, change it (https://panel.example/sessions/password).\n",
    );
    expect(ended).not.toMatch(/ask for it|asked for this|contact Support/);
  });

  test("an action by Support or an operator does not suggest that the password is known", async () => {
    const support = await newPerson(deps.db, { role: "support", at: AT });
    for (const by of [support.id, "command_line"]) {
      const end = await endOf("multi_factor_reset", by);
      expect(end).toContain("If you asked for this, you have nothing to do.\n");
      expect(end).toContain("contact Support: help@panel.example\n");
      expect(end).not.toMatch(/If this was|your password\.|change it/);
    }
  });

  test("an action by an administrator points to the administrators first", async () => {
    const { id } = await newPerson(deps.db, { role: "administrator", at: AT });
    const end = await endOf("role_changed", id);
    expect(end).toContain("ask an administrator of your account, or contact Support: help@");
    expect(end).not.toMatch(/If this was|may have your password/);
  });

  test("a link by another account's administrator: the mail says that someone may have the password", async () => {
    const { id } = await newPerson(deps.db, { role: "administrator", at: AT });
    for (const type of ["linked_by_account", "account_link_refused"])
      expect(await endOf(type, id)).toContain("someone may have your password");
  });
});

test("a mail says who requires the second factor: the role, the administrator of one user, or the account", async () => {
  const mailAfter = async (change: (user: User) => Promise<unknown>, role?: Role) => {
    const { taken, mail } = mailbox();
    const { eventId, user } = await recorded("multi_factor_reset", { role });
    await change(user);
    await perform("sendNotice", { eventId, to: "current" }, { mail });
    return taken[0]?.body;
  };
  const byAccount = ({ id, accountId }: User) =>
    setPolicy(
      deps.db,
      { accountId, requirement: "required", enforceAfter: null, version: 0 },
      eventOf({ id, accountId }),
    );
  const byAdministrator = (user: User) =>
    setRequirement(deps.db, { userId: user.id, requirement: "required" }, eventOf(user));
  expect(await mailAfter(byAccount)).toContain("Your account requires it, so");
  expect(await mailAfter(byAdministrator)).toContain("Your administrator requires it, so");
  expect(await mailAfter(async () => {}, "support")).toContain(
    "Your role as a Support operator requires it, so",
  );
});

test("a user who must have a second factor is not told that the password alone logs in", async () => {
  const types = ["multi_factor_reset", "all_devices_removed", "multi_factor_switched_off"];
  for (const type of types) {
    const { taken, mail } = mailbox();
    const { eventId, user } = await recorded(type);
    await perform("sendNotice", { eventId, to: "current" }, { mail });
    await setRequirement(deps.db, { userId: user.id, requirement: "required" }, eventOf(user));
    await perform("sendNotice", { eventId, to: "current" }, { mail });
    const [optional, required] = taken.map(({ body }) => body);
    expect(optional).toContain("You can now log in with your password only.");
    expect(required).not.toContain("password only");
    expect(required).toContain("asked to set it up at your next login");
  }
});
