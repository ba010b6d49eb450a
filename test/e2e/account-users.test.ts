import { generateSync } from "otplib";
import { expect, test } from "vitest";
import type { AccountUser } from "../../core/account/users.ts";
import type { listAudit } from "../../core/audit.ts";
import type { OtpSetup } from "../../core/devices/otp.ts";
import { newId } from "../../store/ids.ts";
import { listDevices } from "../../store/postgres/devices.ts";
import type { Role } from "../../store/postgres/schema.ts";
import { getUser } from "../../store/postgres/users.ts";
import { MINUTE_MS } from "../../units.ts";
import { loggedIn } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { newPhone } from "../support/phones.ts";
import { enrollPhone, logInByPassword, pinSent } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const USERS = "/v1/account/users";

const stack = useStack();

const tokenOf = async (user: Person) => (await logInByPassword(stack, user)).token;

type Page = { users: AccountUser[]; next: string | null };
const list = (token: string, query = "") =>
  stack.api.call<Page>("GET", `${USERS}${query}`, { token });
const add = (token: string, body: object) =>
  stack.api.call<AccountUser>("POST", USERS, { token, body });
const setRole = (token: string, id: string, role: string) =>
  stack.api.call<AccountUser>("PUT", `${USERS}/${id}/role`, { token, body: { role } });

const newAdmin = async () => {
  const admin = await stack.createUser({ role: "administrator" });
  return { admin, token: await tokenOf(admin) };
};

test("an account's users are listed by name, with their methods, lock and last login", async () => {
  const { admin, token } = await newAdmin();
  const { accountId } = admin;
  const member = await stack.createUser({ accountId });
  await stack.createUser();
  const phone = await stack.createUser({ accountId });
  await enrollPhone(stack, phone);
  const { users, next } = (await list(token)).body;
  expect(next).toBeNull();
  expect(users.map(({ username }) => username)).toEqual(
    [admin, member, phone].map(({ username }) => username).sort(),
  );
  const now = new Date(stack.clock.now()).toISOString();
  const seen = (person: Person) => users.find(({ id }) => id === person.id);
  expect(seen(admin)).toEqual({
    id: admin.id,
    username: admin.username,
    role: "administrator",
    multiFactor: { enabled: false, methods: [] },
    keys: 0,
    locked: false,
    lastLoginAt: now,
    createdAt: now,
  });
  expect(seen(member)?.lastLoginAt).toBeNull();
  expect(seen(phone)?.multiFactor).toEqual({ enabled: true, methods: ["sms"] });
});

test("paging misses nobody and shows nobody twice", async () => {
  const { admin, token } = await newAdmin();
  const { accountId } = admin;
  for (let n = 0; n < 4; n++) await stack.createUser({ accountId });
  const all = (await list(token)).body.users;
  const paged: AccountUser[] = [];
  let after: string | null = "";
  while (after !== null) {
    const page: Page = (await list(token, `?limit=2&after=${encodeURIComponent(after)}`)).body;
    expect(page.users.length).toBeLessThanOrEqual(2);
    paged.push(...page.users);
    after = page.next;
  }
  expect(paged).toEqual(all);
  expect(paged).toHaveLength(5);
});

test("an added user can log in, and belongs to the administrator's account only", async () => {
  const { admin, token } = await newAdmin();
  const username = `carol-${newId()}`;
  const password = "eight ch";
  const added = await add(token, { username: ` ${username.toUpperCase()} `, password });
  expect(added.status).toBe(201);
  expect(added.body).toMatchObject({ username, role: "member", multiFactor: { enabled: false } });
  expect(added.text).not.toContain(password);
  const login = (await stack.api.logIn({ username, password })).body;
  if (login.status !== "authenticated") throw new Error(login.status);
  const { user } = (await stack.api.session(login.session.token)).body;
  expect(user).toMatchObject({ id: added.body.id, accountId: admin.accountId, role: "member" });
  expect((await list(login.session.token)).problem.code).toBe("forbidden");
});

test("a user name is unique over all accounts and spellings", async () => {
  const { token } = await newAdmin();
  const other = await stack.createUser();
  const password = "long enough";
  for (const username of [other.username, other.username.toUpperCase(), ` ${other.username}`])
    expect((await add(token, { username, password })).problem.code).toBe("username_taken");
  const username = `race-${newId()}`;
  const race = await Promise.all([1, 2, 3].map(() => add(token, { username, password })));
  expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
});

test("an impossible user is refused, and nobody is added", async () => {
  const { token } = await newAdmin();
  const username = `user-of-${newId()}`;
  const password = "long enough";
  for (const body of [
    {},
    { username },
    { username, password: "" },
    { username, password: "seven c" },
    { username, password: "💥💥💥💥" },
    { username, password: username },
    { username, password: username.toUpperCase() },
    { username, password: "x".repeat(257) },
    { username: "", password },
    { username: "   ", password },
    { username: "a\0b", password },
    { username: "a\nb", password },
    { username: "x".repeat(129), password },
    { username, password, role: "support" },
    { username, password, role: "owner" },
  ]) {
    const { problem } = await add(token, body);
    expect(problem.code, JSON.stringify(body)).toBe("invalid_request");
  }
  expect((await list(token)).body.users).toHaveLength(1);
});

test("a member becomes an administrator, and the old session, which was a member's, ends", async () => {
  const { admin, token } = await newAdmin();
  const member = await stack.createUser({ accountId: admin.accountId });
  const before = await tokenOf(member);
  expect((await setRole(token, member.id, "administrator")).body.role).toBe("administrator");
  expect((await stack.api.session(before)).problem).toMatchObject({
    code: "session_revoked",
    reason: "role_changed",
  });
  const after = await tokenOf(member);
  expect((await list(after)).status).toBe(200);
  // Back to member: a session opened as an administrator ends.
  expect((await setRole(token, member.id, "member")).body.role).toBe("member");
  expect((await list(after)).problem.code).toBe("session_revoked");
  expect((await list(await tokenOf(member))).problem.code).toBe("forbidden");
});

test("an account keeps an administrator, even if two demote each other at once", async () => {
  const { admin, token } = await newAdmin();
  expect((await setRole(token, admin.id, "member")).problem.code).toBe("last_administrator");
  const { accountId } = admin;
  const other = await stack.createUser({ accountId, role: "administrator" });
  const answers = await Promise.all([
    setRole(token, other.id, "member"),
    setRole(await tokenOf(other), admin.id, "member"),
  ]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  const roles = await Promise.all(
    [admin, other].map(async ({ id }) => (await getUser(stack.deps.db, id))?.role),
  );
  expect(roles.sort()).toEqual(["administrator", "member"]);
});

test("roles are given to the account's own users only; nobody is made Support or loses Support", async () => {
  const { admin, token } = await newAdmin();
  const stranger = await stack.createUser();
  for (const id of [stranger.id, newId(), "x", "%00"])
    expect((await setRole(token, id, "administrator")).problem.code, id).toBe("user_not_found");
  expect((await getUser(stack.deps.db, stranger.id))?.role).toBe("member");
  const { accountId } = admin;
  const support = await stack.createUser({ accountId, role: "support" });
  expect((await setRole(token, support.id, "member")).problem.code).toBe("forbidden");
  expect((await setRole(token, admin.id, "support")).problem.code).toBe("invalid_request");
});

test("what administrators did is in their own account's activity only", async () => {
  const { admin, token } = await newAdmin();
  const username = `dave-${newId()}`;
  const { id } = (await add(token, { username, password: "long enough" })).body;
  await setRole(token, id, "administrator");
  type Page = Awaited<ReturnType<typeof listAudit>>;
  const read = async (path: string, reader = token) =>
    (await stack.api.call<Page>("GET", path, { token: reader })).body.events;
  const events = await read("/v1/account/activity");
  expect(events.slice(0, 2)).toMatchObject([
    { type: "role_changed", userId: id, actorId: admin.id, detail: { role: "administrator" } },
    { type: "user_added", userId: id, actorId: admin.id, detail: { role: "member" } },
  ]);
  expect(await read("/v1/account/activity?type=user_added&limit=1")).toMatchObject([
    { type: "user_added" },
  ]);
  const elsewhere = await newAdmin();
  const others = await read("/v1/account/activity", elsewhere.token);
  expect(others.map(({ accountId }) => accountId)).not.toContain(admin.accountId);
});

test("attack: only administrators see or change an account", async () => {
  const { admin, token } = await newAdmin();
  const { accountId } = admin;
  const body = { username: `eve-${newId()}`, password: "long enough", role: "administrator" };
  for (const role of ["member", "support"] as Role[]) {
    const { user, token: own } = await loggedIn(stack, role, accountId);
    for (const answer of [
      await list(own),
      await add(own, body),
      await setRole(own, user.id, "administrator"),
      await stack.api.call("GET", "/v1/account/activity", { token: own }),
    ])
      expect(answer.problem.code).toBe("forbidden");
  }
  await stack.advance(20 * MINUTE_MS);
  for (const answer of [await add(token, body), await setRole(token, admin.id, "administrator")])
    expect(answer.problem.code).toBe("reauthentication_required");
});

type Schema = {
  $ref?: string;
  enum?: unknown[];
  type?: string;
  minimum?: number;
  properties?: Record<string, Schema>;
};

type Call = { method: string; path: string; body: object | undefined };

/** Every call of the document about these ids, with bodies that could harm the victim. */
function callsAbout(ids: string[], values: Record<string, unknown>): Call[] {
  const { paths, components } = stack.document;
  const resolve = (schema: Schema): Schema =>
    schema.$ref ? (components.schemas[schema.$ref.split("/").at(-1) ?? ""] as Schema) : schema;
  const sample = (name: string, schema: Schema) =>
    values[name] ?? schema.enum?.at(-1) ?? (schema.type === "integer" ? 1 : "a reason or a name");
  const bodies = (schema: Schema | undefined): Call["body"][] => {
    if (!schema) return [undefined];
    const fields = Object.entries(resolve(schema).properties ?? {});
    const body = Object.fromEntries(
      fields.map(([name, one]) => [name, sample(name, resolve(one))]),
    );
    // Also sends undeclared fields, which must be ignored.
    return [body, { ...body, ...values }];
  };
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => {
      const { requestBody } = operation as {
        requestBody?: { content: Record<string, { schema: Schema }> };
      };
      const targets = path.includes("{")
        ? ids.map((id) => path.replace(/\{\w+\}/, id))
        : [`${path}?userId=${values.userId}`];
      return targets.flatMap((target) =>
        bodies(requestBody?.content["application/json"]?.schema).map((body) => ({
          method: method.toUpperCase(),
          path: target,
          body,
        })),
      );
    }),
  );
}

const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);

/** A user who is setting up a phone and an app, and what an attacker could know about them. */
async function halfEnrolled() {
  const { api, deps } = stack;
  const user = await stack.createUser();
  const token = await tokenOf(user);
  const phone = newPhone();
  const { id: phoneId } = (await api.registerPhone(token, phone)).body;
  const pin = await stack.pinTo(phone.e164);
  await pinSent(stack, token, phoneId);
  const named = { token, body: { name: "App" } };
  const app = (await api.call<OtpSetup>("POST", "/v1/me/devices/otp", named)).body;
  const epoch = Math.floor(stack.clock.now() / 1000);
  const code = generateSync({ secret: app.secret, epoch });
  const look = async () => {
    const devices = await listDevices(deps.db, user.id);
    return {
      devices: devices
        .map(({ id, verifiedAt }) => ({ id, verified: verifiedAt !== null }))
        .sort(byId),
      defaultMethod: (await getUser(deps.db, user.id))?.defaultMethod,
    };
  };
  return { user, phoneId, pin, appId: app.device.id, code, look };
}

test.each(["administrator", "support"] as const)(
  "attack: no call lets the role %s add, verify or choose a device for another user",
  async (role) => {
    const { user, phoneId, pin, appId, code, look } = await halfEnrolled();
    const { accountId } = user;
    const before = await look();
    const unverified = [phoneId, appId].map((id) => ({ id, verified: false })).sort(byId);
    expect(before).toEqual({ devices: unverified, defaultMethod: null });

    const values = (right: string, deviceId: string) => ({
      ...{ userId: user.id, accountId, actorId: user.id, deviceId, role: "member" },
      ...{ code: right, passcode: right, method: "otp", makeDefault: true, verified: true },
      ...{ countryCode: "US", phoneNumber: newPhone().phoneNumber, requirement: "optional" },
    });
    const all = [
      ...callsAbout([user.id, phoneId], values(pin, phoneId)),
      ...callsAbout([appId], values(code, appId)),
    ];
    // Support may remove all devices of a user, which is no attack. So those calls come last.
    const isReset = ({ path }: Call) => path.includes("/reset-multi-factor");
    const order = [...all.filter((call) => !isReset(call)), ...all.filter(isReset)];

    const answers: string[] = [];
    let token: string | undefined;
    for (const call of order) {
      const { method, path, body } = call;
      token ??= (await loggedIn(stack, role, accountId)).token;
      const answer = await stack.api.call(method, path, { token, body });
      if (answer.status === 401 || path.startsWith("/v1/logout")) token = undefined;
      answers.push(`${method} ${path.split("?")[0]} ${answer.status}`);
      const after = await look();
      const label = `${method} ${path} ${JSON.stringify(body)}`;
      if (!isReset(call)) expect(after, label).toEqual(before);
      else expect(before.devices, label).toEqual(expect.arrayContaining(after.devices));
    }
    // The same calls work for the attacker's own devices, and for what the role is allowed to do.
    expect(answers).toContain("POST /v1/me/devices/sms 201");
    expect(answers).toContain(`POST /v1/me/devices/${phoneId}/verify 404`);
    expect(answers).toContain(
      role === "administrator" ? "GET /v1/account/users 200" : "GET /v1/account/users 403",
    );
  },
  60_000,
);
