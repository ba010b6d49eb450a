import { hash } from "@node-rs/argon2";
import { sql } from "drizzle-orm";
import { createApp } from "../../api/app.ts";
import { newId, newOwnedId } from "../../store/ids.ts";
import { users } from "../../store/postgres/schema.ts";
import { userWithApp } from "../support/apps.ts";
import type { Person } from "../support/people.ts";
import { startChallenge } from "../support/scenarios.ts";
import type { Stack } from "../support/stack.ts";
import { timeKinds } from "../support/timing.ts";

/** Less than the hundred wrong passwords a day that strangers have. */
const SAMPLES_A_NAME = 50;

/**
 * Times wrong logins for several kinds of names, and guesses at challenges that do not exist. As an
 * attacker does, it sends each from another address, so that no limit answers instead.
 */
export async function timeLogins(stack: Stack, samples: number) {
  const names = Math.ceil(samples / SAMPLES_A_NAME);
  const app = createApp({ ...stack.deps, config: { ...stack.deps.config, TRUSTED_PROXIES: 1 } });
  let address = 0;
  const post = async (path: string, body: object, status: number) => {
    const at = `198.${18 + (address >> 16)}.${(address >> 8) & 255}.${address++ & 255}`;
    const answer = await app.request(path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-for": at },
      body: JSON.stringify(body),
    });
    await answer.text();
    if (answer.status !== status) throw new Error(`${path} answered ${answer.status}`);
  };
  const guessAt = (usernames: string[]) => (sample: number) => {
    const username = usernames[Math.floor(sample / SAMPLES_A_NAME)] as string;
    return post("/v1/login", { username, password: "a wrong password" }, 401);
  };
  const many = async (of: () => Promise<Person>) => {
    const made = [];
    for (let n = 0; n < names; n++) made.push((await of()).username);
    return made;
  };
  const locked = async () => {
    const { user } = await userWithApp(stack);
    const { id } = await startChallenge(stack, user);
    for (let n = 0; n < 7; n++) await stack.api.verifyPasscode(id, "0000000");
    return user;
  };
  /** A leak on purpose: a user whose password is still hashed at a lower cost. */
  const cheap = async () => {
    const user = await stack.createUser();
    const passwordHash = await hash("x", { memoryCost: 1024, timeCost: 1, parallelism: 1 });
    await stack.deps.db.update(users).set({ passwordHash }).where(sql`${users.id} = ${user.id}`);
    return user;
  };
  const known = (await userWithApp(stack)).user;
  await startChallenge(stack, known);
  const verify = (id: string) =>
    post(`/v1/login/challenges/${id}/verify`, { passcode: "1234567" }, 404);

  return timeKinds(
    {
      nobody: guessAt(Array.from({ length: names }, () => `nobody-${newId()}`)),
      plain: guessAt(await many(() => stack.createUser())),
      paired: guessAt(await many(async () => (await userWithApp(stack)).user)),
      locked: guessAt(await many(locked)),
      cheap: guessAt(await many(cheap)),
      "a challenge of nobody": () => verify(newOwnedId(newId())),
      "a challenge of a user": () => verify(newOwnedId(known.id)),
    },
    samples,
  );
}

/** The kinds that an attacker must not be able to tell apart. */
export const ALIKE = [
  ["nobody", "plain"],
  ["nobody", "paired"],
  ["nobody", "locked"],
  ["a challenge of nobody", "a challenge of a user"],
] as const;
