import type { Policy } from "../../core/account/policy.ts";
import type { Answer } from "../support/client.ts";
import { keyCalls } from "../support/keys.ts";
import { type PairedKey, pairApp, pairKey, pairPhone } from "./devices.ts";
import type { App, FaultyPerson } from "./person.ts";

const WEBHOOKS = "/v1/account/webhooks";
const POLICY = "/v1/account/multi-factor-policy";

/** Logs in by SMS after one wrong passcode. The right passcode cannot be used again. */
async function logInByPhone(person: FaultyPerson, number: string): Promise<string> {
  const { api, expectStatus } = person;
  for (let login = 1; ; login++) {
    await person.forgetPasscodes(number);
    const { id } = await person.challenge();
    const passcode = await person.passcode(id, number);
    if (!passcode) continue;
    if (login === 1) await person.guessWrong(id, passcode);
    const token = await person.answer(id, passcode);
    if (!token) continue;
    expectStatus(await api.verifyPasscode(id, passcode), 409);
    return token;
  }
}

/** Logs in by app. The same code does not open another challenge. */
async function logInByApp(person: FaultyPerson, app: App): Promise<string> {
  const { api, expectStatus } = person;
  for (;;) {
    const { id } = await person.challenge();
    const other = await person.challenge();
    const code = await person.appCode(app);
    const token = await person.answer(id, code);
    if (!token) continue;
    const replayed = expectStatus(await api.verifyPasscode(other.id, code), 422);
    expectUsedForNothing(replayed);
    return token;
  }
}

/** Logs in by key. The same assertion opens nothing more. */
async function logInByKey(person: FaultyPerson, key: PairedKey["key"]): Promise<string> {
  const { expectStatus } = person;
  const calls = keyCalls(person.api);
  for (;;) {
    const { id } = await person.challenge();
    const { options } = expectStatus(await calls.options(id), 200).body;
    const credential = key.get(options as { challenge: string });
    const token = person.tokenOf(id, await calls.answer(id, credential));
    if (!token) continue;
    expectStatus(await calls.answer(id, credential), 409);
    return token;
  }
}

/** Expects that a code that was used before opens nothing and costs no attempt. */
function expectUsedForNothing({ problem, text }: Answer<unknown>): void {
  if (problem.code !== "passcode_already_used" || problem.attemptsRemaining !== undefined)
    throw new Error(text);
}

/** Logs in by a recovery code. The same code does not open another challenge. */
async function logInByRecoveryCode(person: FaultyPerson, codes: string[]): Promise<string> {
  const { api, expectStatus, ledger } = person;
  for (const code of codes) {
    const { id } = await person.challenge();
    const token = await person.answer(id, code);
    ledger.recoveryCodesUsed += 1;
    const other = await person.challenge();
    const replayed = expectStatus(await api.verifyPasscode(other.id, code), 422);
    expectUsedForNothing(replayed);
    if (token) return token;
  }
  throw new Error("No recovery code was taken");
}

/** Pairs a phone, logs in with it and with a recovery code, then removes all devices. */
export async function phoneStory(person: FaultyPerson): Promise<void> {
  const { api, expectStatus, ledger } = person;
  const phone = await pairPhone(person);
  const token = await logInByPhone(person, phone.e164);
  const made = await api.call<{ codes: string[] }>("POST", "/v1/me/recovery-codes", {
    ...{ token, body: { quantity: 3 } },
  });
  await logInByRecoveryCode(person, expectStatus(made, 201).body.codes);
  const left = await person.challenge();
  expectStatus(await api.call("DELETE", "/v1/me/devices", { token }), 204);
  ledger.removed.add(phone.id);
  ledger.allRemoved = true;
  if (expectStatus(await api.multiFactor(token), 200).body.enabled)
    throw new Error("Multi-factor authentication is on after all devices were removed");
  const withdrawn = await api.verifyPasscode(left.id, "1234567");
  if (expectStatus(withdrawn, 410).problem.code !== "challenge_expired")
    throw new Error(withdrawn.text);
  ledger.attemptsRemaining = undefined;
  await person.logInByPassword();
}

/** Pairs an app, logs in with it twice, and removes it. */
export async function appStory(person: FaultyPerson): Promise<void> {
  const { api, expectStatus, ledger } = person;
  const app = await pairApp(person, await person.logInByPassword());
  const token = await logInByApp(person, app);
  const removed = await api.call("DELETE", `/v1/me/devices/${app.id}`, { token });
  expectStatus(removed, 204, 404);
  if (removed.status === 404 && !person.repeated()) throw new Error(removed.text);
  ledger.removed.add(app.id);
  ledger.attemptsRemaining = undefined;
  await person.logInByPassword();
}

/** Registers a security key, logs in with it twice, and removes it. */
export async function keyStory(person: FaultyPerson): Promise<void> {
  const { api, expectStatus, ledger } = person;
  const { id, key } = await pairKey(person, await person.logInByPassword());
  await logInByKey(person, key);
  const token = await logInByKey(person, key);
  const removed = await api.call("DELETE", `/v1/me/devices/${id}`, { token });
  expectStatus(removed, 204, 404);
  if (removed.status === 404 && !person.repeated()) throw new Error(removed.text);
  ledger.removed.add(id);
  ledger.attemptsRemaining = undefined;
  await person.logInByPassword();
}

/** Guesses until the user is locked. The lock stays. */
export async function guessingStory(person: FaultyPerson): Promise<void> {
  const { api, expectStatus, ledger } = person;
  const phone = await pairPhone(person);
  const { id } = await person.challenge();
  const passcode = await person.passcode(id, phone.e164);
  if (!passcode) throw new Error("The challenge ended");
  while (await person.guessWrong(id, passcode));
  ledger.locked = true;
  expectStatus(await api.verifyPasscode(id, passcode), 423);
  expectStatus(await api.logIn(ledger.user), 423);
}

/**
 * An administrator requires a second factor for everyone, which ends sessions without one. A
 * webhook receives the events.
 */
export async function rolloutStory(
  administrator: FaultyPerson,
  members: readonly FaultyPerson[],
  webhook: string,
): Promise<void> {
  const { api, expectStatus, ledger } = administrator;
  const app = await pairApp(administrator, await administrator.logInByPassword());
  const token = await logInByApp(administrator, app);
  expectStatus(await api.call("POST", WEBHOOKS, { token, body: { url: webhook } }), 201);
  const weak = await Promise.all(
    members.map(async (person) => ({ person, token: await person.logInByPassword() })),
  );
  const body = { requirement: "required" };
  const changed = await api.call<Policy>("PUT", POLICY, { token, body });
  if (expectStatus(changed, 200, 202).body.requirement !== "required")
    throw new Error(changed.text);
  await Promise.all(
    weak.map(async ({ person, token }) => {
      person.ledger.ended.add(token);
      const session = await person.api.session(token);
      if (person.expectStatus(session, 401).problem.reason !== "policy_required")
        throw new Error(session.text);
    }),
  );
  // All members but the first set up an app.
  for (const { person } of weak.slice(1)) {
    const login = await person.logIn();
    if (login.status !== "setup_required") throw new Error(`It was ${login.status}`);
    const own = await pairApp(person, login.session.token);
    await logInByApp(person, own);
  }
  const policy = expectStatus(await api.call<Policy>("GET", POLICY, { token }), 200).body;
  if (policy.state !== "enforced" || policy.users.toGo !== 1)
    throw new Error(`The policy is ${JSON.stringify(policy)}`);
  ledger.attemptsRemaining = undefined;
}
