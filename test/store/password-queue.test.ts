import { beforeEach, expect, test, vi } from "vitest";
import { hashPassword, TooManyPasswords, verifyPassword } from "../../store/passwords.ts";
import { until } from "../support/until.ts";

// A test decides when a hash ends: `begun` holds the running hashes, and `release` ends one.
const { begun, work, releaseAll } = vi.hoisted(() => {
  const begun: { name: string; release(): void }[] = [];
  const work =
    <Result>(name: string, result: Result) =>
    () =>
      new Promise<Result>((resolve) => begun.push({ name, release: () => resolve(result) }));
  const releaseAll = () => {
    for (const { release } of begun) release();
  };
  return { begun, work, releaseAll };
});
vi.mock("@node-rs/argon2", () => ({ hash: work("hash", "hashed"), verify: work("verify", true) }));

beforeEach(() => {
  begun.length = 0;
});

const names = () => begun.map(({ name }) => name);

/** Ends running hashes repeatedly until `count` hashes have begun. */
const letWork = (count: number) =>
  until(
    async () => {
      releaseAll();
      return begun.length;
    },
    (length) => length >= count,
  );

test("attack: while fifty passwords are set at once, a login waits for one of them at most", async () => {
  const set = Array.from({ length: 50 }, () => hashPassword("new"));
  await until(
    async () => begun.length,
    (length) => length > 0,
  );
  expect(names()).toEqual(["hash"]);
  const checked = verifyPassword("hashed", "x");
  await letWork(2);
  expect(names().slice(0, 2)).toEqual(["hash", "verify"]);
  await letWork(51);
  expect(await checked).toBe(true);
  expect(await Promise.all(set)).toEqual(Array(50).fill("hashed"));
});

test("a new password is hashed once no login waits", async () => {
  const checked = Array.from({ length: 12 }, () => verifyPassword("hashed", "x"));
  const set = hashPassword("new");
  await letWork(13);
  expect(names()).toEqual([...Array(12).fill("verify"), "hash"]);
  await Promise.all([...checked, set]);
});

test("endless logins delay a new password by half a second, not for ever", async () => {
  let answered = false;
  const set = hashPassword("new").finally(() => {
    answered = true;
  });
  const checked: Promise<unknown>[] = [];
  while (!answered) {
    checked.push(...Array.from({ length: 20 }, () => verifyPassword("hashed", "x")));
    await letWork(begun.length + 15);
  }
  expect(await set).toBe("hashed");
  releaseAll();
  await letWork(checked.length + 1);
  await Promise.all(checked);
});

test("new passwords beyond the limit of the queue are refused at once", async () => {
  const set = Array.from({ length: 80 }, () => hashPassword("new").catch((error) => error));
  const refused = await Promise.all(set.slice(66));
  for (const answer of refused) expect(answer).toBeInstanceOf(TooManyPasswords);
  await letWork(65);
  const done = (await Promise.all(set)).filter((answer) => answer === "hashed");
  expect(done.length).toBeGreaterThanOrEqual(64);
});
