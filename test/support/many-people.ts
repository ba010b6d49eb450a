import { expect } from "vitest";
import type { Person } from "./people.ts";
import { challengeSent, enrollPhone, logInBySms, startChallenge } from "./scenarios.ts";
import type { Service } from "./service.ts";
import { until } from "./until.ts";

/** A user with a phone, and the token of a session by SMS. */
export type LoggedIn = { user: Person; e164: string; token: string };

/** A login that waits for its passcode. */
export type Open = { id: string; passcode: string };

/** So many users, each with a phone and a session. */
export async function loggedInPeople(service: Service, count: number): Promise<LoggedIn[]> {
  const users = await Promise.all(Array.from({ length: count }, () => service.createUser()));
  const phones = await Promise.all(users.map((user) => enrollPhone(service, user)));
  await service.forgetSends();
  return Promise.all(
    users.map(async (user, index) => {
      const { e164 } = phones[index] as { e164: string };
      return { user, e164, token: (await logInBySms(service, user, e164)).token };
    }),
  );
}

/** A new login of each, up to its passcode. */
export async function openLogins(service: Service, people: readonly LoggedIn[]): Promise<Open[]> {
  await service.forgetSends();
  return Promise.all(
    people.map(async ({ user, e164 }) => {
      const { id } = await startChallenge(service, user);
      const passcode = await service.passcodeTo(e164);
      await challengeSent(service, id);
      return { id, passcode };
    }),
  );
}

/** Every gateway's answer about its dependencies, once all of them have this status. */
export function healthOfAll(service: Service, status: 200 | 503): Promise<Response[]> {
  return until(
    () => Promise.all(service.urls.map((url) => fetch(`${url}/health/dependencies`))),
    (answers) => answers.every((answer) => answer.status === status),
  );
}

/** Each login ends with its passcode: it has lost no attempt. */
export async function expectToFinish(service: Service, open: readonly Open[]): Promise<void> {
  for (const { id, passcode } of open)
    expect((await service.api.verifyPasscode(id, passcode)).body.session.scope).toBe("full");
}
