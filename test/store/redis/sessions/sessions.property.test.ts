import fc from "fast-check";
import { expect, test } from "vitest";
import { newId } from "../../../../store/ids.ts";
import { consumeOtpStep } from "../../../../store/redis/second-step/otp-steps.ts";
import { checkSession } from "../../../../store/redis/sessions/live-sessions.ts";
import { readEpochs } from "../../../../store/redis/sessions/revocations.ts";
import { openSession } from "../../../../store/redis/sessions/sessions.ts";
import { DAY_MS } from "../../../../units.ts";
import { NOW, newUser, twoClients } from "../clients.ts";

const [redis] = await twoClients();

async function loggedIn() {
  const user = newUser();
  const opened = await openSession(redis, {
    ...user,
    ...({ username: "somebody", role: "member", scope: "full" } as const),
    amr: ["pwd"],
    epochs: await readEpochs(redis, user.userId, user.accountId),
    now: NOW,
    lifetimeMs: DAY_MS,
  });
  if (typeof opened === "string") throw new Error(opened);
  return opened;
}

const check = (token: string) => checkSession(redis, token, { now: NOW, idleMs: DAY_MS });

test("only a session's own token opens it: no letter may be changed, cut, added or swapped", async () => {
  const { token, session } = await loggedIn();
  const changes = fc.oneof(
    fc
      .tuple(fc.nat({ max: token.length - 1 }), fc.string({ minLength: 1, maxLength: 1 }))
      .map(([at, letter]) => token.slice(0, at) + letter + token.slice(at + 1)),
    fc.nat({ max: token.length - 1 }).map((length) => token.slice(0, length)),
    fc.string({ minLength: 1, maxLength: 5 }).map((more) => token + more),
    fc.string({ unit: "binary" }),
    fc.stringMatching(/^[\w-]{43}$/).map((text) => `${session.id}.${text}`),
  );
  await fc.assert(
    fc.asyncProperty(changes, async (other) => {
      if (other !== token) expect(await check(other)).not.toMatchObject({ ok: true });
    }),
    { numRuns: 300 },
  );
  expect(await check(token)).toMatchObject({ ok: true, session: { id: session.id } });
});

test("in any order of claims each step is used by one holder, and none before a used one", async () => {
  const claims = fc.array(
    fc.record({ step: fc.integer({ min: 1, max: 6 }), holder: fc.constantFrom("a", "b", "c") }),
    { maxLength: 15 },
  );
  await fc.assert(
    fc.asyncProperty(claims, async (wanted) => {
      const device = { userId: newId(), deviceId: newId() };
      let last: { step: number; holder: string } | undefined;
      for (const claim of wanted) {
        const taken = await consumeOtpStep(redis, { ...device, ...claim });
        const repeated = claim.step === last?.step && claim.holder === last.holder;
        expect(taken).toBe(!last || claim.step > last.step || repeated);
        if (taken) last = claim;
      }
    }),
    { numRuns: 60 },
  );
});
