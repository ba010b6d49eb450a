import { beforeAll, describe, expect, test } from "vitest";
import type { listAudit } from "../../core/audit.ts";
import type { viewForSupport } from "../../core/support/user-overview.ts";
import { newId } from "../../store/ids.ts";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { setRole, unlockUser } from "../../store/postgres/users.ts";
import { MINUTE_MS } from "../../units.ts";
import { logInByApp, supportOperator } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { expectProblem } from "../support/problems.ts";
import {
  enrollPhone,
  logInByPassword,
  logInBySms,
  pinSent,
  startChallenge,
  wrongCode,
} from "../support/scenarios.ts";
import { gatewayOver } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const REASON = "Identity checked by video call";

const stack = useStack();
let agent: Person;
let secret: string;
let token: string;
beforeAll(async () => {
  ({ user: agent, secret, token } = await supportOperator(stack));
});

type View = Awaited<ReturnType<typeof viewForSupport>>;
type Found = { users: View["user"][] };

const search = (query: string, as = token) =>
  stack.api.call<Found>("GET", `/v1/support/users?query=${encodeURIComponent(query)}`, {
    token: as,
  });
const look = (id: string, as = token) =>
  stack.api.call<View>("GET", `/v1/support/users/${id}`, { token: as });
const act = (id: string, action: "unlock" | "reset-multi-factor", body: unknown, as = token) =>
  stack.api.call<{ changed: boolean }>("POST", `/v1/support/users/${id}/${action}`, {
    token: as,
    body,
  });
const unlock = (id: string, as = token) => act(id, "unlock", { reason: REASON }, as);
const reset = (id: string, as = token) => act(id, "reset-multi-factor", { reason: REASON }, as);

const eventsOf = async (id: string) => (await look(id)).body.events;

async function lock(user: Person, e164: string) {
  const { id } = await startChallenge(stack, user);
  const passcode = await stack.passcodeTo(e164);
  for (let guess = 1; guess <= 7; guess++)
    await stack.api.verifyPasscode(id, wrongCode(passcode, guess));
  await until(
    async () => (await look(user.id)).body.user.lockedAt,
    (lockedAt) => lockedAt !== null,
  );
}

async function lockedUser() {
  const user = await stack.createUser();
  const { e164 } = await enrollPhone(stack, user);
  await lock(user, e164);
  return { user, e164 };
}

describe("attack: doing what only Support may do", () => {
  test("members, administrators and set-up sessions can do none of it, and learn nothing", async () => {
    const victim = await stack.createUser();
    for (const role of ["member", "administrator"] as const) {
      const user = await stack.createUser({ role, accountId: victim.accountId });
      const { token: theirs } = await logInByPassword(stack, user);
      for (const answer of [
        await search(victim.username, theirs),
        await look(victim.id, theirs),
        await look(newId(), theirs),
        await unlock(victim.id, theirs),
        await reset(victim.id, theirs),
      ])
        expectProblem(answer, "forbidden");
    }
    expect((await eventsOf(victim.id)).map(({ type }) => type)).toEqual(["user_looked_up"]);
  });

  test("an old session of a user who is no longer Support is refused", async () => {
    const { user: former, token: theirs } = await supportOperator(stack);
    expect((await search("user-", theirs)).status).toBe(200);
    await setRole(
      stack.deps.db,
      { userId: former.id, role: "member" },
      {
        ...{ key: newId(), at: new Date(stack.clock.now()), type: "role_changed" },
        ...{ accountId: former.accountId, userId: former.id },
      },
    );
    expectProblem(await search("user-", theirs), "forbidden");
  });

  test("a stolen session twenty minutes old is refused", async () => {
    const victim = await stack.createUser();
    const { token: old } = await supportOperator(stack);
    await stack.advance(20 * MINUTE_MS);
    for (const answer of [
      await search("user-", old),
      await look(victim.id, old),
      await unlock(victim.id, old),
      await reset(victim.id, old),
    ])
      expectProblem(answer, "reauthentication_required");
    ({ token } = await logInByApp(stack, agent, secret));
  });

  test("Support operators cannot unlock or reset themselves", async () => {
    expect(expectProblem(await unlock(agent.id), "not_yourself").detail).toContain("colleague");
    expectProblem(await reset(agent.id), "not_yourself");
    expect((await stack.api.session(token)).status).toBe(200);
  });

  test("Support cannot add, verify or choose anything for a user, or read what logs them in", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const challenge = await startChallenge(stack, user);
    await stack.passcodeTo(e164);
    const device = (await look(user.id)).body.multiFactor.devices[0];
    for (const path of ["devices/sms", "devices/otp", "devices", "recovery-codes", "session"])
      expectProblem(
        await stack.api.call("POST", `/v1/support/users/${user.id}/${path}`, { token, body: {} }),
        "not_found",
      );
    expectProblem(
      await stack.api.verifyDevice(token, device?.id ?? "", "1234"),
      "device_not_found",
    );
    // Calls that add or verify a device are only about the caller's own.
    const others = Object.keys(stack.document.paths).filter((path) =>
      /^\/v1\/(support|account)\/.*(device|verify|recovery|default)/.test(path),
    );
    expect(others).toEqual([]);
    const { text } = await look(user.id);
    expect(text).not.toContain(challenge.id);
    expect(text).not.toContain(e164.slice(2, -4));
  });
});

describe("finding a user", () => {
  test("works by the beginning of the name in any case, by id, and by nothing else", async () => {
    const user = await stack.createUser();
    const found = [{ id: user.id, username: user.username, lockedAt: null }];
    // No more than the page shows: a look at a user leaves a trace.
    for (const query of [user.username, user.username.slice(0, 20).toUpperCase(), user.id])
      expect((await search(query)).body.users, query).toEqual(found);
    for (const query of ["%", "_", "user_", `${user.username}%`, "\\", "'", '"', "' or 1=1 --"])
      expect((await search(query)).body.users, query).toEqual([]);
    expect((await search("user-")).body.users.length).toBeGreaterThan(1);
  });

  test("with an empty, too long or unstorable query is refused", async () => {
    for (const query of ["", "  ", "x".repeat(129), "a\0b"])
      expectProblem(await search(query), "invalid_request");
    expectProblem(await stack.api.call("GET", "/v1/support/users", { token }), "invalid_request");
  });

  test("is recorded in the user's own activity, with the reason if one was given", async () => {
    const user = await stack.createUser();
    await stack.api.call("GET", `/v1/support/users/${user.id}?reason=Ticket%2042`, { token });
    await look(user.id);
    const { token: own } = await logInByPassword(stack, user);
    type Page = Awaited<ReturnType<typeof listAudit>>;
    const path = "/v1/me/activity?type=user_looked_up";
    const { events } = (await stack.api.call<Page>("GET", path, { token: own })).body;
    expect(events.map(({ actorId, detail }) => ({ actorId, detail }))).toEqual([
      { actorId: agent.id, detail: {} },
      { actorId: agent.id, detail: { reason: "Ticket 42" } },
    ]);
  });

  test("from another address or session is recorded again", async () => {
    const user = await stack.createUser();
    const { token: other } = await logInByApp(stack, agent, secret);
    const config = { ...stack.deps.config, TRUSTED_PROXIES: 1 };
    const api = gatewayOver(stack, { config });
    const lookFrom = (ip: string, as: string) =>
      api.call("GET", `/v1/support/users/${user.id}`, {
        token: as,
        headers: { "x-forwarded-for": ip },
      });
    const [office, thief] = ["192.0.2.1", "198.51.100.9"];
    for (const [ip, as] of [
      [office, token],
      [office, token],
      [thief, token],
      [office, other],
    ] as const)
      expect((await lookFrom(ip, as)).status).toBe(200);
    const { accountId } = user;
    const { events } = await listEvents(stack.deps.db, { accountId, limit: 100 });
    const looks = events.filter(({ type }) => type === "user_looked_up");
    expect(looks.map(({ ip }) => ip)).toEqual([office, thief, office]);
  });

  test("shows state, devices, open flows and events", async () => {
    const user = await stack.createUser();
    const { e164, id: phoneId } = await enrollPhone(stack, user);
    const session = await logInBySms(stack, user, e164);
    await stack.advance(1000);
    const body = { name: "App" };
    await stack.api.call("POST", "/v1/me/devices/otp", { token: session.token, body });
    const challenge = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    await stack.api.verifyPasscode(challenge.id, wrongCode(passcode));
    const view = await until(
      async () => (await look(user.id)).body,
      ({ flows }) => flows.some(({ state }) => state === "awaiting_passcode"),
    );
    expect(view).toMatchObject({
      user: { id: user.id, username: user.username, role: "member", lockedAt: null },
      multiFactor: { enabled: true, required: false, locked: false, defaultMethod: "sms" },
      attemptsRemaining: 6,
    });
    expect(view.multiFactor.devices).toMatchObject([
      {
        id: phoneId,
        type: "sms",
        verified: true,
        phoneNumber: `+${"•".repeat(7)}${e164.slice(-4)}`,
      },
      { type: "otp", name: "App", verified: false },
    ]);
    expect(view.flows).toEqual([
      {
        ...{ type: "login_challenge", state: "awaiting_passcode", problem: null, deviceId: null },
        ...{ expiresAt: challenge.expiresAt, next: ["verify", "resend"] },
      },
      {
        ...{ type: "otp_enrollment", state: "awaiting_code", problem: null, expiresAt: null },
        ...{ deviceId: view.multiFactor.devices[1]?.id, next: ["verify", "restart", "remove"] },
      },
    ]);
    expect(view.events.map(({ type }) => type)).toContain("device_verified");
  });

  test("does not show a login that is over as an open flow", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    await logInBySms(stack, user, e164);
    expect((await look(user.id)).body.flows).toEqual([]);
    await startChallenge(stack, user);
    await stack.passcodeTo(e164);
    expect((await look(user.id)).body.flows).toHaveLength(1);
    await stack.advance(10 * MINUTE_MS);
    expect((await look(user.id)).body.flows).toEqual([]);
  });

  test("with an unknown id is refused", async () => {
    for (const id of [newId(), "x", "%00", "'", "0".repeat(56), "__proto__"]) {
      expectProblem(await look(id), "user_not_found");
      expectProblem(await unlock(id), "user_not_found");
      expectProblem(await reset(id), "user_not_found");
    }
  });
});

describe("unlocking", () => {
  test("ends the lock once, however many ask; then all seven tries are available", async () => {
    const { user, e164 } = await lockedUser();
    expectProblem(await stack.api.logIn(user), "account_locked");
    const answers = await Promise.all(Array.from({ length: 5 }, () => unlock(user.id)));
    expect(answers.filter(({ body }) => body.changed)).toHaveLength(1);
    const challenge = await startChallenge(stack, user);
    expect(challenge.attemptsRemaining).toBe(7);
    const passcode = await stack.passcodeTo(e164);
    expect((await stack.api.verifyPasscode(challenge.id, passcode)).status).toBe(200);
    const recorded = (await eventsOf(user.id)).filter(({ type }) => /^account_/.test(type));
    expect(recorded).toMatchObject([
      { type: "account_unlocked", actorId: agent.id, userId: user.id, detail: { reason: REASON } },
      { type: "account_locked", actorId: user.id },
    ]);
  });

  test("of a user who is not locked changes nothing, says so, and keeps the count of tries", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const { id } = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    await stack.api.verifyPasscode(id, wrongCode(passcode));
    expect(await unlock(user.id)).toMatchObject({ status: 200, body: { changed: false } });
    expect((await stack.api.challenge(id)).body.attemptsRemaining).toBe(6);
    expect((await eventsOf(user.id)).map(({ type }) => type)).not.toContain("account_unlocked");
  });

  test("records a lock that a crash left in the counter alone, then ends it", async () => {
    const { user } = await lockedUser();
    const { id: userId, accountId } = user;
    const event = { key: newId(), at: new Date(stack.clock.now()), accountId };
    await unlockUser(stack.deps.db, userId, { ...event, type: "account_unlocked" });
    expect((await unlock(userId)).body).toEqual({ changed: true });
    expect((await startChallenge(stack, user)).attemptsRemaining).toBe(7);
    const recorded = (await eventsOf(userId)).filter(({ type }) => /^account_/.test(type));
    expect(recorded.map(({ type }) => type)).toEqual([
      ...["account_unlocked", "account_locked", "account_locked"],
    ]);
  });

  test("works again for a user who is locked again", async () => {
    const { user, e164 } = await lockedUser();
    await unlock(user.id);
    await lock(user, e164);
    expectProblem(await stack.api.logIn(user), "account_locked");
    expect((await unlock(user.id)).body.changed).toBe(true);
  });

  test("needs a reason of three characters or more", async () => {
    const user = await stack.createUser();
    for (const body of [{}, { reason: "" }, { reason: " a " }, { reason: "x".repeat(501) }])
      for (const action of ["unlock", "reset-multi-factor"] as const)
        expect(expectProblem(await act(user.id, action, body), "invalid_request").errors).toEqual([
          { path: "reason", message: expect.any(String) },
        ]);
    const kept = { reason: `${"💥".repeat(100)} ' or 1=1 --` };
    expect((await act(user.id, "unlock", kept)).body).toEqual({ changed: false });
    expectProblem(
      await act(user.id, "reset-multi-factor", { reason: "a\0b c" }),
      "invalid_request",
    );
  });
});

describe("resetting multi-factor authentication", () => {
  test("removes every device and code and ends every session and login under way", async () => {
    const user = await stack.createUser();
    const { e164 } = await enrollPhone(stack, user);
    const session = await logInBySms(stack, user, e164);
    const made = { token: session.token, body: {} };
    await stack.api.call("POST", "/v1/me/recovery-codes", made);
    const challenge = await startChallenge(stack, user);
    const passcode = await stack.passcodeTo(e164);
    expect((await reset(user.id)).body).toEqual({ changed: true });

    const ended = expectProblem(await stack.api.session(session.token), "session_revoked");
    expect(ended.reason).toBe("multi_factor_reset");
    expectProblem(await stack.api.verifyPasscode(challenge.id, passcode), "challenge_expired");
    expect((await look(user.id)).body).toMatchObject({
      multiFactor: { enabled: false, devices: [], recoveryCodes: { remaining: 0 } },
      flows: [],
    });
    expect((await eventsOf(user.id)).filter(({ type }) => type === "multi_factor_reset")).toEqual([
      expect.objectContaining({
        actorId: agent.id,
        workflowId: expect.stringMatching(/^device-removal\//),
        detail: expect.objectContaining({ reason: REASON }),
      }),
    ]);
    expect((await logInByPassword(stack, user)).amr).toEqual(["pwd"]);
  });

  test("of a user without devices ends the sessions and says that there was no device", async () => {
    const user = await stack.createUser();
    const session = await logInByPassword(stack, user);
    expect((await reset(user.id)).body).toEqual({ changed: false });
    expectProblem(await stack.api.session(session.token), "session_revoked");
  });

  test("ends a set-up that is under way, and keeps a lock", async () => {
    const { user } = await lockedUser();
    const other = await stack.createUser();
    const { token: theirs } = await logInByPassword(stack, other);
    const { id } = (await stack.api.registerPhone(theirs, newPhone())).body;
    await pinSent(stack, theirs, id);
    // On a slow day the client asks again, and then there is nothing left to change.
    for (const { id } of [other, user]) {
      expect((await reset(id)).status).toBe(200);
      expect((await look(id)).body.multiFactor.devices).toEqual([]);
    }
    expectProblem(await stack.api.logIn(user), "account_locked");
    await unlock(user.id);
    expect((await logInByPassword(stack, user)).amr).toEqual(["pwd"]);
  });
});
