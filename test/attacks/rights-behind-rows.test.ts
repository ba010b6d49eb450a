// Somebody takes my role or ends my session, and holds the database row that my request waits for.
// When my request gets the row, it must be refused.
import { eq } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { listEvents } from "../../store/postgres/events/read-events.ts";
import { holdingAccount } from "../../store/postgres/holding-account.ts";
import { holdingUser } from "../../store/postgres/holding-user.ts";
import { users } from "../../store/postgres/schema.ts";
import { getUser } from "../../store/postgres/users.ts";
import type { Answer } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { useStack } from "../support/used.ts";
import { waitingOrSettled } from "../support/waiting.ts";
import { type BySession, OF_ACCOUNTS, OF_USERS } from "./races/by-session.ts";
import { newWorld, type World } from "./races/worlds.ts";

const stack = useStack({ environment: { TRUSTED_PROXIES: "1" } });

const rowsOf = (names: string[], rows: BySession[]) =>
  names.map((name) => {
    const row = rows.find((one) => one.name === name);
    if (!row) throw new Error(`Nobody asks for: ${name}`);
    return [name, row] as const;
  });

const typesOf = async ({ person: { accountId } }: World) => {
  const { events } = await listEvents(stack.deps.db, { accountId, limit: 100 });
  return events.map(({ type }) => type);
};

const chiefOf = async ({ chief }: World) => (await stack.api.session(chief)).body.user.id;

/** Takes the administrator's role in an open transaction, for which their request waits. */
async function demotedMeanwhile(
  world: World,
  userId: string,
  send: () => Promise<Answer<unknown>>,
) {
  const { db } = stack.deps;
  let asked: ReturnType<typeof send> | undefined;
  let isSettled = false;
  await holdingAccount(db, world.person.accountId, "update", async (tx) => {
    await tx.update(users).set({ role: "member" }).where(eq(users.id, userId));
    asked = send();
    isSettled = await waitingOrSettled(stack, 1, asked);
  });
  return { answer: (await asked) as Answer<unknown>, isSettled };
}

describe("attack: an administrator goes on while a colleague demotes them, and nobody ends the sessions", () => {
  const OF_THE_ACCOUNT = [
    ...["add a user", "add a webhook", "remove a webhook", "enable a webhook"],
    ...["link a Cloud account", "give another role", "require it of the account"],
  ];

  test.each(rowsOf(OF_THE_ACCOUNT, [...OF_ACCOUNTS, ...OF_USERS]))("%s", async (_, row) => {
    const world = await newWorld(stack, row.needs ?? {});
    const userId = await chiefOf(world);
    const send = await row.ready(world, stack);
    const before = await typesOf(world);
    const { answer, isSettled } = await demotedMeanwhile(world, userId, () => send(stack.api));
    expect(isSettled).toBe(false);
    expect(expectProblem(answer, "session_revoked").reason).toBe("role_changed");
    expect(await typesOf(world)).toEqual(before);
  });

  test("and takes the role back", async () => {
    const world = await newWorld(stack, {});
    const userId = await chiefOf(world);
    const path = `/v1/account/users/${userId}/role`;
    const body = { role: "administrator" };
    const { answer } = await demotedMeanwhile(world, userId, () =>
      stack.api.call("PUT", path, { token: world.chief, body }),
    );
    expect(expectProblem(answer, "session_revoked").reason).toBe("role_changed");
    expect((await getUser(stack.deps.db, userId))?.role).toBe("member");
  });
});

describe("attack: a request waits for the user's row while its session is ended", () => {
  const OF_THE_USER = [
    ...["add an app", "add a phone", "begin the other app anew", "change the password"],
    ...["change the address", "make recovery codes", "a bypass code by the administrator"],
    ...["begin logins with the phone", "require it of the user"],
    ...["an unlock by Support", "an unlock by Support after a crash"],
    ...["turn it on at /v2.0", "make the devices inactive at /v2.0"],
  ];

  test.each(rowsOf(OF_THE_USER, OF_USERS))("%s", async (_, row) => {
    const world = await newWorld(stack, row.needs ?? {});
    const send = await row.ready(world, stack);
    const before = await typesOf(world);
    let asked: Promise<Answer<unknown>> | undefined;
    await holdingUser(stack.deps.db, world.person.id, async () => {
      asked = send(stack.api);
      expect(await waitingOrSettled(stack, 1, asked)).toBe(false);
      await stack.api.logOut(world[row.by]);
    });
    const answer = (await asked) as Answer<unknown>;
    expect(answer.status, answer.text).toBe(401);
    const more = (await typesOf(world)).slice(0, -before.length || undefined);
    // A lock from before may be written now.
    expect(more.filter((type) => type !== "account_locked")).toEqual([]);
  });
});
