import { generateSync } from "otplib";
import { send } from "./client.ts";
import type { Work } from "./load.ts";
import { PASSWORD, type Person } from "./people.ts";

const STEP_S = 30;

type Challenge = { challenge: { id: string } };
type Authenticated = { session: { token: string } };

/** Logins by password and app, each by the next user, since a user's code is good once a time step. */
export function logins(url: string, people: Person[]) {
  const lastStep = new Map<string, number>();
  let next = 0;
  const tokens: string[] = [];

  const work: Work = async (note) => {
    const { username, secret } = people[next++ % people.length] as Person;
    const now = Math.floor(Date.now() / 1000 / STEP_S);
    const step = Math.max(now, (lastStep.get(username) ?? 0) + 1);
    if (step > now + 1) throw new Error("Too few users: make more with --users");
    lastStep.set(username, step);

    const begun = performance.now();
    const { challenge } = await send<Challenge>("POST", `${url}/v1/login`, {
      body: { username, password: PASSWORD },
    });
    const asked = performance.now();
    const passcode = generateSync({ secret, epoch: step * STEP_S });
    const ready = performance.now();
    const { session } = await send<Authenticated>(
      "POST",
      `${url}/v1/login/challenges/${challenge.id}/verify`,
      { body: { passcode } },
    );
    const ended = performance.now();
    note("login", asked - begun);
    note("verify", ended - ready);
    note("both", asked - begun + ended - ready);
    tokens.push(session.token);
  };
  return { work, tokens };
}

/** Looks at sessions, one after the other. */
export function sessionChecks(url: string, tokens: string[]): Work {
  let next = 0;
  return async (note) => {
    const token = tokens[next++ % tokens.length] as string;
    const begun = performance.now();
    await send("GET", `${url}/v1/session`, { token });
    note("session", performance.now() - begun);
  };
}
