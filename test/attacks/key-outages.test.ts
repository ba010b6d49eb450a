// An outage comes while the answer of a key is judged. The same answer may be sent again only where
// that opens no second session, and makes no key look copied.
import { expect, test } from "vitest";
import { spend } from "../../store/redis/budgets.ts";
import { keys } from "../../store/redis/keys.ts";
import { TemporalAway } from "../../temporal/errors.ts";
import { craftedKey, handleOf } from "../support/crafted-keys.ts";
import { impatientClient } from "../support/flow-attacks.ts";
import { KEY_SETTINGS, keyCalls } from "../support/keys.ts";
import { expectProblem } from "../support/problems.ts";
import { logInByPassword, startChallenge } from "../support/scenarios.ts";
import { useStack } from "../support/used.ts";

const stack = useStack({ environment: KEY_SETTINGS });

/** A user whose only device is a key, and its calls at a gateway that loses one answer of Temporal. */
async function userIn(call: "startLoginChallenge" | "moveChallenge") {
  const user = await stack.createUser();
  const { token } = await logInByPassword(stack, user);
  const key = craftedKey();
  const { device, options } = (await keyCalls(stack.api).register(token)).body;
  expect((await keyCalls(stack.api).verify(token, device.id, key.create(options))).status).toBe(
    200,
  );
  let lost = false;
  const losing = async (...args: never[]) => {
    const answer = await (stack.deps.flows[call] as (...args: never[]) => Promise<unknown>)(
      ...args,
    );
    if (lost) return answer;
    lost = true;
    throw new TemporalAway("The answer is lost");
  };
  const gateway = impatientClient(stack, {
    flows: { ...stack.deps.flows, [call]: losing },
  });
  return { user, key, calls: keyCalls(gateway), handle: { userHandle: handleOf(user.id) } };
}

test("a key that never counts: the same answer logs in once Temporal is back", async () => {
  const { user, key, calls } = await userIn("moveChallenge");
  const { id, options } = await startChallenge(stack, user);
  const answer = key.get(options as never);
  expect((await calls.answer(id, answer)).status).toBe(503);
  expect((await calls.answer(id, answer)).status).toBe(200);
});

test("a key that counts: the same answer is asked for anew, and makes no alarm of a copy", async () => {
  const { user, key, calls } = await userIn("moveChallenge");
  const { id, options } = await startChallenge(stack, user);
  const answer = key.get(options as never, { signCount: 5 });
  expect((await calls.answer(id, answer)).status).toBe(503);
  expect((await calls.answer(id, answer)).problem.code).toBe("webauthn_options_used");
  const again = (await calls.options(id)).body.options as never;
  const { status, body } = await calls.answer(id, key.get(again, { signCount: 6 }));
  expect(status).toBe(200);
  const { token } = body.session;
  const { events } = (
    await stack.api.call<{ events: { type: string }[] }>("GET", "/v1/me/activity", { token })
  ).body;
  expect(events.map(({ type }) => type)).toContain("login_succeeded");
  expect(events.map(({ type }) => type)).not.toContain("key_counter_regressed");
});

test("a login by passkey that could not begin is begun by the same answer", async () => {
  const { key, calls, handle } = await userIn("startLoginChallenge");
  const { id, options } = (await calls.passkeyOptions()).body;
  const answer = key.get(options, handle);
  expect((await calls.passkey(id, answer)).status).toBe(503);
  expect((await calls.passkey(id, answer)).status).toBe(200);
});

test("attack: a login by passkey whose end was lost is sent again for a second session", async () => {
  const { key, calls, handle } = await userIn("moveChallenge");
  const { id, options } = (await calls.passkeyOptions()).body;
  const answer = key.get(options, handle);
  expect((await calls.passkey(id, answer)).status).toBe(503);
  expect((await calls.passkey(id, answer)).problem.code).toBe("webauthn_options_used");
  const anew = (await calls.passkeyOptions()).body;
  expect((await calls.passkey(anew.id, key.get(anew.options, handle))).status).toBe(200);
});

test("attack: whoever has the password uses up its logins; the owner's passkey still logs in", async () => {
  const { user, key, calls, handle } = await userIn("moveChallenge");
  const { redis, config, clock } = stack.deps;
  const { right } = config.limits.password;
  for (let n = 0; n < right.limit; n++)
    await spend(redis, keys.rightPasswords(user.id), [right], clock.now());
  expectProblem(await stack.api.logIn(user), "too_many_requests");
  const { id, options } = (await calls.passkeyOptions()).body;
  const passkey = await keyCalls(stack.api).passkey(id, key.get(options, handle));
  expect(passkey.status).toBe(200);
});
