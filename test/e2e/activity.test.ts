import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { auditFile, type listAudit } from "../../core/audit.ts";
import { newId } from "../../store/ids.ts";
import { recordEvent } from "../../store/postgres/events/events.ts";
import type { ShownEvent } from "../../store/postgres/events/read-events.ts";
import { type Role, users } from "../../store/postgres/schema.ts";
import { setRole } from "../../store/postgres/users.ts";
import { supportOperator } from "../support/apps.ts";
import { otherType } from "../support/event-types.ts";
import type { Person } from "../support/people.ts";
import { startReceiver } from "../support/receiver.ts";
import { logInByPassword } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();

type Page = Awaited<ReturnType<typeof listAudit>>;

const ACCOUNT = "/v1/account/activity";
const EXPORT = `${ACCOUNT}/export`;

const get = <Body = Page>(token: string, path: string) =>
  stack.api.call<Body>("GET", path, { token });

async function newAccount() {
  const admin = await stack.createUser({ role: "administrator" });
  const member = await stack.createUser({ accountId: admin.accountId });
  const { token } = await logInByPassword(stack, admin);
  return { admin, member, token };
}

/** Records an event about the person at this time. */
const happen = ({ id: userId, accountId }: Person, type: string, at: string, actorId = userId) =>
  recordEvent(stack.deps.db, {
    key: newId(),
    at: new Date(at),
    accountId,
    userId,
    actorId,
    type: otherType(type),
  });

/** The events of all pages, newest first. */
async function allPages(token: string, query = "") {
  const events: ShownEvent[] = [];
  let before: number | null = null;
  do {
    const cursor: string = before === null ? "" : `&before=${before}`;
    const page: Page = (await get(token, `${ACCOUNT}?limit=100${query}${cursor}`)).body;
    events.push(...page.events);
    before = page.next;
  } while (before !== null);
  return events;
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ShownEvent);

test("the account's activity can be filtered by type, time, user and actor", async () => {
  const { admin, member, token } = await newAccount();
  await happen(member, "one", "2025-01-01T23:59:59Z");
  await happen(member, "two", "2025-01-02T00:00:00Z", admin.id);
  await happen(admin, "two", "2025-01-02T12:00:00Z");
  await happen(member, "three", "2025-01-03T00:00:00Z");
  const found = async (query: string) =>
    (await get(token, `${ACCOUNT}?${query}`)).body.events.map(({ type }) => type);
  const past = "to=2025-12-31";
  expect(await found(past)).toEqual(["three", "two", "two", "one"]);
  expect(await found(`${past}&type=two`)).toEqual(["two", "two"]);
  expect(await found(`${past}&type=one,three`)).toEqual(["three", "one"]);
  expect(await found("from=2025-01-02&to=2025-01-03")).toEqual(["two", "two"]);
  expect(await found("from=2025-01-02T01:00:00%2B01:00&to=2025-01-02T12:00:00Z")).toEqual(["two"]);
  expect(await found(`${past}&user=${member.id}`)).toEqual(["three", "two", "one"]);
  expect(await found(`${past}&actor=${admin.id}`)).toEqual(["two", "two"]);
  expect(await found(`${past}&actor=${admin.id}&user=${member.id}&type=two`)).toEqual(["two"]);
  expect(await found(`${past}&type=nothing`)).toEqual([]);
});

test("a user's own activity shows only their own events, whatever filter is tried", async () => {
  const { admin, member, token } = await newAccount();
  await happen(member, "theirs", "2025-01-01T00:00:00Z");
  await happen(admin, "mine", "2025-01-01T00:00:00Z");
  for (const query of ["", `&user=${member.id}`, `&actor=${member.id}`, "&everywhere=true"]) {
    const { events } = (await get(token, `/v1/me/activity?to=2025-12-31${query}`)).body;
    expect(events.map(({ type }) => type)).toEqual(["mine"]);
  }
  const { events } = (await get(token, "/v1/me/activity?type=login_succeeded")).body;
  expect(new Set(events.map(({ userId }) => userId))).toEqual(new Set([admin.id]));
});

test("no filter leads into another account", async () => {
  const [one, other] = [await newAccount(), await newAccount()];
  await happen(other.member, "theirs", "2025-01-01T00:00:00Z");
  for (const query of [`user=${other.member.id}`, `actor=${other.member.id}`, "type=theirs"]) {
    expect((await get(one.token, `${ACCOUNT}?${query}`)).body.events).toEqual([]);
    expect((await get(one.token, `${EXPORT}?${query}`)).text).toBe("");
  }
});

test.each([
  "type=",
  "type=Login",
  "type=a,,b",
  `type=${"a".repeat(65)}`,
  "from=yesterday",
  "from=2025-02-30",
  "to=2025-01-01T00:00:00",
  "user=nobody",
  "user=%27%20or%201=1",
  "actor=%00",
])("a filter of %s is refused", async (query) => {
  const { token } = await newAccount();
  for (const path of [ACCOUNT, EXPORT])
    expect((await get(token, `${path}?${query}`)).problem).toMatchObject({
      code: "invalid_request",
      errors: [{ path: expect.stringMatching(`^${query.split("=")[0]}`) }],
    });
});

test("the export has what all pages show, oldest first", async () => {
  const { admin, member, token } = await newAccount();
  for (let n = 0; n < 1203; n += 1)
    await happen(n % 3 ? member : admin, n % 2 ? "odd" : "even", "2025-01-01T00:00:00Z");
  const answer = await get(token, EXPORT);
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  expect(answer.headers.get("content-disposition")).toContain("activity.ndjson");
  const exported = linesOf(answer.text);
  expect(exported.length).toBeGreaterThan(1203);
  expect(exported).toEqual((await allPages(token)).reverse());
  const filter = `type=odd&user=${member.id}`;
  const some = linesOf((await get(token, `${EXPORT}?${filter}`)).text);
  expect(some).toEqual((await allPages(token, `&${filter}`)).reverse());
  expect(some).toHaveLength(401);
});

test("members see neither the account's activity nor its export", async () => {
  const { member } = await newAccount();
  const { token } = await logInByPassword(stack, member);
  for (const path of [ACCOUNT, EXPORT])
    expect((await get(token, path)).problem.code).toBe("forbidden");
});

describe("the address and browser of an action", () => {
  /**
   * Records something that the actor does to the person, from the actor's own address and browser.
   */
  const doneBy = (person: Person, actor: { id: string }, type: string) =>
    recordEvent(stack.deps.db, {
      ...{ key: newId(), at: new Date(stack.clock.now()), type: otherType(type) },
      ...{ userId: person.id, accountId: person.accountId, actorId: actor.id },
      ...{ ip: placeOf(actor), userAgent: `browser of ${actor.id}` },
    });
  const placeOf = ({ id }: { id: string }) => `place of ${id}`;

  /** Changes a user's role, as an operator does. */
  const become = ({ id: userId, accountId }: Person, role: Role) =>
    setRole(
      stack.deps.db,
      { userId, role },
      {
        ...{
          key: newId(),
          at: new Date(stack.clock.now()),
          type: "role_changed",
          userId,
          accountId,
        },
        ...{ actorId: "command_line", detail: { role } },
      },
    );

  /**
   * A member with one event by each kind of actor, each from the actor's own address and browser.
   */
  async function everybodyActs() {
    const { admin, member, token } = await newAccount();
    const { accountId } = admin;
    const { user: support, token: supportToken } = await supportOperator(stack);
    const house = await stack.createUser({ role: "support", accountId });
    const stranger = await stack.createUser({ role: "administrator" });
    const actors = { member, admin, support, house, stranger, cli: { id: "command_line" } };
    for (const [name, actor] of Object.entries(actors)) await doneBy(member, actor, `by_${name}`);
    return { member, admin, token, supportToken, actors };
  }

  /** The actors whose address or browser is in a text. */
  const actorsIn = (text: string, actors: Record<string, { id: string }>) =>
    Object.entries(actors)
      .filter(([, { id }]) => text.includes(`place of ${id}`) || text.includes(`browser of ${id}`))
      .map(([name]) => name);

  /** A page of the portal, opened with this session. */
  const pageOf = async (path: string, token: string) => {
    const headers = { cookie: `session=${token}`, accept: "text/html" };
    const answer = await stack.app.request(path, { headers });
    expect(answer.status, path).toBe(200);
    return answer.text();
  };

  test("users see their own, but not those of Support, an administrator or an operator", async () => {
    const { member, actors } = await everybodyActs();
    const { token } = await logInByPassword(stack, member);
    const mine = await get(token, "/v1/me/activity");
    expect(mine.body.events.filter(({ type }) => type.startsWith("by_"))).toHaveLength(6);
    expect(actorsIn(mine.text, actors)).toEqual(["member"]);
    expect(actorsIn(await pageOf("/activity", token), actors)).toEqual(["member"]);
  });

  test("administrators see those of their account's people, but not those of Support, even in their account", async () => {
    const { token, actors } = await everybodyActs();
    const own = ["member", "admin"];
    for (const path of [ACCOUNT, EXPORT])
      expect(actorsIn((await get(token, path)).text, actors), path).toEqual(own);
    for (const path of ["/account/activity", "/account/activity/export"])
      expect(actorsIn(await pageOf(path, token), actors), path).toEqual(own);
  });

  test("what Support did stays hidden once the operator is an administrator; what they do then is shown", async () => {
    const { admin, member, token } = await newAccount();
    const house = await stack.createUser({ role: "support", accountId: admin.accountId });
    await doneBy(member, house, "by_support");
    await doneBy(house, house, "own_as_support");
    await become(house, "administrator");
    await doneBy(member, house, "by_administrator");
    await become(house, "member");
    const shown = ({ body }: { body: Page }) =>
      body.events
        .filter(({ actorId, ip }) => actorId === house.id && ip !== null)
        .map(({ type }) => type);
    expect(shown(await get(token, ACCOUNT))).toEqual(["by_administrator"]);
    const exported = linesOf((await get(token, EXPORT)).text);
    expect(exported.filter(({ ip }) => ip === placeOf(house))).toMatchObject([
      { type: "by_administrator" },
    ]);
    const { token: own } = await logInByPassword(stack, member);
    expect(shown(await get(own, "/v1/me/activity"))).toEqual([]);
    // A Support operator's earlier events are hidden as well, as long as they are Support.
    await become(house, "support");
    expect(shown(await get(token, ACCOUNT))).toEqual([]);
  });

  test("a user created as a Support operator counts as one, also without an event about that role", async () => {
    const { admin, member, token } = await newAccount();
    const { accountId } = admin;
    const [recorded, unrecorded] = [
      await stack.createUser({ role: "support", accountId }),
      await stack.createUser({ role: "support", accountId }),
    ];
    const at = new Date(stack.clock.now());
    const added = { key: newId(), at, accountId, userId: recorded.id };
    await recordEvent(stack.deps.db, { ...added, type: "user_added", detail: { role: "support" } });
    for (const operator of [recorded, unrecorded]) await doneBy(member, operator, "by_support");
    await become(recorded, "member");
    // Like an event from before events recorded the previous role.
    const former = { ...added, key: newId(), userId: unrecorded.id };
    await recordEvent(stack.deps.db, {
      ...former,
      type: "role_changed",
      detail: { role: "member" },
    });
    await stack.deps.db.update(users).set({ role: "member" }).where(eq(users.id, unrecorded.id));
    const { events } = (await get(token, `${ACCOUNT}?type=by_support`)).body;
    expect(events.map(({ ip }) => ip)).toEqual([null, null]);
  });

  test("a webhook is sent no address of Support", async () => {
    const receiver = await startReceiver();
    try {
      const { admin, member, token } = await newAccount();
      const support = await stack.createUser({ role: "support" });
      const body = { url: receiver.url, types: ["account_unlocked", "password_changed"] };
      expect((await stack.api.call("POST", "/v1/account/webhooks", { token, body })).status).toBe(
        201,
      );
      await doneBy(member, support, "account_unlocked");
      await doneBy(member, member, "password_changed");
      await until(
        async () => receiver.received.length,
        (count) => count === 2,
      );
      const sent = receiver.received.map(({ body }) => body).join();
      expect(actorsIn(sent, { admin, member, support })).toEqual(["member"]);
    } finally {
      await receiver.stop();
    }
  });

  test("Support sees the user's addresses but no colleague's; operators see all", async () => {
    const { member, supportToken: token, actors } = await everybodyActs();
    const path = `/v1/support/users/${member.id}?reason=a%20call`;
    const view = await get(token, path);
    expect(view.status, view.text).toBe(200);
    expect(actorsIn(view.text, actors)).toEqual(["member", "admin"]);
    const file = await auditFile(stack.deps, { accountId: member.accountId }, "operator");
    expect(actorsIn(await new Response(file).text(), actors)).toEqual(Object.keys(actors));
  });
});
